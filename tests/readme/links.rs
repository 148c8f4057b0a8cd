//! Links lead to existing files and headings, the index lists every page, and the README is short.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::page::{all, page, readme, root};

/// Resolves `..` in a path.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(resolved.pop(), "{} leads out of the repository", path.display()),
            part => resolved.push(part),
        }
    }
    resolved
}

/// Returns the file that a link leads to, relative to the repository's root, and the anchor in it. Links to other sites
/// have none.
fn target(from: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.starts_with("https://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor.to_owned())));
    let folder = from.parent().expect("a page is in a folder");
    let path = if file.is_empty() { from.to_owned() } else { resolved(&folder.join(file)) };
    Some((path, anchor))
}

#[test]
fn every_link_has_a_target() {
    let mut count = 0;
    for from in all() {
        for link in from.links() {
            let Some((path, anchor)) = target(&from.path, &link) else {
                continue;
            };
            assert!(root().join(&path).exists(), "{}: {link}", from.path.display());
            if let Some(anchor) = anchor {
                assert!(page(path).anchors().contains(&anchor), "{}: {link}", from.path.display());
            }
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn the_readme_links_the_index_and_the_index_links_every_page() {
    let linked = |from: &str| -> BTreeSet<_> {
        let from = page(from);
        let targets = from.links().into_iter().filter_map(|link| target(&from.path, &link));
        targets.map(|(path, _)| path).collect()
    };
    let index = Path::new("docs/README.md");
    assert!(linked("README.md").contains(index));
    let linked = linked("docs/README.md");
    for page in all().iter().filter(|page| page.path != index) {
        assert!(linked.contains(&page.path), "{} is not linked", page.path.display());
    }
}

#[test]
fn the_readme_is_short() {
    let text = readme().text;
    let (lines, words) = (text.lines().count(), text.split_whitespace().count());
    assert!(lines <= 150, "{lines} lines");
    assert!(words <= 1300, "{words} words");
}
