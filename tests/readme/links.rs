//! Links lead somewhere, every page is found, and the README is short.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::page::{all, page, readme, root};

/// A path without `..` in it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the repository", path.display()),
            part => plain.push(part),
        }
    }
    plain
}

/// The file that a link leads to, from the repository's root, and the anchor in it; nothing for other sites.
fn target(from: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.starts_with("https://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor.to_owned())));
    let folder = from.parent().expect("a page is in a folder");
    let path = if file.is_empty() { from.to_owned() } else { plain(&folder.join(file)) };
    Some((path, anchor))
}

#[test]
fn every_link_leads_to_what_is_there() {
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
fn every_page_is_linked_from_the_readme_or_the_index() {
    let linked: BTreeSet<_> = [readme(), page("docs/README.md")]
        .iter()
        .flat_map(|from| from.links().into_iter().filter_map(|link| target(&from.path, &link)).collect::<Vec<_>>())
        .map(|(path, _)| path)
        .collect();
    for page in all() {
        assert!(page.name() == "README.md" || linked.contains(&page.path), "{} is not linked", page.path.display());
    }
    assert!(linked.contains(Path::new("docs/README.md")));
}

#[test]
fn the_readme_is_short() {
    let text = readme().text;
    let (lines, words) = (text.lines().count(), text.split_whitespace().count());
    assert!(lines <= 150, "{lines} lines");
    assert!(words <= 1300, "{words} words");
}
