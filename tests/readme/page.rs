//! The pages, and access to their parts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Pages about how documents are read and how the program is built, not about its use. Examples in them have tests of
/// their own, such as `tests/jobs.rs` for protocol-language.md.
const NOT_ABOUT_USE: [&str; 7] = [
    "architecture.md",
    "open-questions.md",
    "performance.md",
    "protocol-language.md",
    "sentences.md",
    "session-events.md",
    "session-records.md",
];

pub struct Page {
    /// Relative to the repository's root, such as `docs/ci.md`.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block: its info string and its content.
pub struct Block {
    pub info: String,
    pub text: String,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn page(path: impl Into<PathBuf>) -> Page {
    let path = path.into();
    let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Page { path, text }
}

pub fn readme() -> Page {
    page("README.md")
}

/// Returns the README and every page in `docs/`.
pub fn all() -> Vec<Page> {
    let folder = fs::read_dir(root().join("docs")).expect("docs/ is there");
    let names = folder.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    let pages = names.into_iter().map(|name| page(Path::new("docs").join(name)));
    [readme()].into_iter().chain(pages).collect()
}

/// Returns the README and the pages about the use of the program.
pub fn about_use() -> Vec<Page> {
    all().into_iter().filter(|page| !NOT_ABOUT_USE.contains(&page.name())).collect()
}

/// Returns the texts between backquotes in any of these pages.
pub fn quoted(pages: &[Page]) -> BTreeSet<String> {
    pages.iter().flat_map(Page::quoted).collect()
}

impl Page {
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8")
    }

    /// Returns the fenced blocks, in their order, and the text outside of them.
    fn parts(&self) -> (Vec<Block>, String) {
        let (mut blocks, mut outside) = (Vec::new(), String::new());
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            let Some(info) = line.trim_start().strip_prefix("```") else {
                outside.push_str(line);
                outside.push('\n');
                continue;
            };
            let mut block = Block { info: info.to_owned(), text: String::new() };
            loop {
                let line = lines.next().unwrap_or_else(|| panic!("{}: a block is not closed", self.path.display()));
                if line.trim_start() == "```" {
                    break;
                }
                block.text.push_str(line);
                block.text.push('\n');
            }
            blocks.push(block);
        }
        (blocks, outside)
    }

    /// Returns the fenced blocks of a language.
    pub fn blocks(&self, language: &str) -> Vec<Block> {
        let of = |block: &Block| block.info.split(' ').next() == Some(language);
        self.parts().0.into_iter().filter(of).collect()
    }

    /// Returns the text without blocks and without the texts between backquotes.
    pub fn prose(&self) -> String {
        self.parts().1.split('`').step_by(2).collect()
    }

    /// Returns the texts between backquotes outside of blocks. A line break in one becomes a space.
    pub fn quoted(&self) -> BTreeSet<String> {
        let (_, outside) = self.parts();
        assert!(outside.split('`').count() % 2 == 1, "{}: a backquote has no partner", self.path.display());
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        outside.split('`').skip(1).step_by(2).map(words).collect()
    }

    /// Returns the lines from a heading to the next one.
    pub fn section(&self, heading: &str) -> String {
        let rest = self.text.split_once(&format!("# {heading}\n"));
        let (_, rest) = rest.unwrap_or_else(|| panic!("{} has no heading {heading}", self.path.display()));
        let lines = rest.lines().take_while(|line| !line.starts_with('#'));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// Returns the anchors of the headings, as GitHub generates them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let (_, outside) = self.parts();
        let mut anchors = BTreeSet::new();
        for line in outside.lines().filter(|line| line.starts_with('#')) {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let again = (1..).map(|number| format!("{anchor}-{number}"));
            let free = [anchor.clone()].into_iter().chain(again).find(|anchor| !anchors.contains(anchor));
            anchors.extend(free);
        }
        anchors
    }

    /// Returns the targets of links and images, as written.
    pub fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(|(target, _)| target.to_owned()).collect()
    }
}

/// Returns the texts between backquotes in the first column of the tables in a text.
pub fn first_column(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}
