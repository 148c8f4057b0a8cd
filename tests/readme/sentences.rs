//! `docs/sentences.md` has every sentence of the documents, word for word, and what it names as their holders exists.
//!
//! A `document.md` is split by these rules:
//!
//! - A heading of the first level begins a document. What comes before the first one is a document of its own, named
//!   after the protocol's `source`. Other headings and blank lines are no sentences.
//! - In a table, each cell behind the first one is a sentence, unless it is empty: the first cell of its row, the name of
//!   its column, a colon, and the cell.
//! - JSON, from a line that is `{` to the next one that is `}`, is one sentence, on one line.
//! - A line that is the name of a JSON type belongs to the line before it.
//! - Every other line ends a sentence. Within a line, a full stop, question mark or exclamation mark ends one where space
//!   and a capital letter follow, behind closing quotation marks and brackets.
//! - What Markdown would take for a link, emphasis or code is between backquotes.

use std::collections::BTreeMap;

use sessionlint::Protocol;

use super::page::{Page, page};

/// The names of the JSON types.
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];

/// A document, and its sentences in their order.
#[derive(Debug, PartialEq)]
struct Document {
    name: String,
    sentences: Vec<String>,
}

/// A row of the page: a sentence, and what holds it.
struct Row {
    sentence: String,
    holders: String,
}

/// Returns a text as the page has it: between backquotes if Markdown would show something else.
fn shown(text: &str) -> String {
    let is_markup = text.contains(['[', '*', '{', '<']) && !text.contains('`');
    if is_markup { format!("`{text}`") } else { text.to_owned() }
}

/// Splits a line of prose into sentences.
fn split(line: &str) -> Vec<String> {
    let (mut sentences, mut start) = (Vec::new(), 0);
    for (at, _) in line.match_indices(' ') {
        let before = line[start..at].trim_end_matches(['"', '”', '’', ')', ']']);
        let ends = before.ends_with(['.', '?', '!']);
        if ends && line[at..].trim_start().starts_with(char::is_uppercase) {
            sentences.push(line[start..at].trim().to_owned());
            start = at;
        }
    }
    sentences.push(line[start..].trim().to_owned());
    sentences
}

/// Returns the cells of a row of a table. A vertical bar within a cell has a backslash before it.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().replace("\\|", "\u{0}");
    let line = line.strip_prefix('|').unwrap_or(&line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// Returns whether a line is a row of a table.
fn is_row(line: &&str) -> bool {
    line.starts_with('|')
}

/// Splits the text of a `document.md`. `source`: the name of what is before the first heading.
fn documents(source: &str, text: &str) -> Vec<Document> {
    let mut documents = vec![Document { name: source.to_owned(), sentences: Vec::new() }];
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("# ") {
            documents.push(Document { name: name.to_owned(), sentences: Vec::new() });
            continue;
        }
        let sentences = &mut documents.last_mut().expect("there is one from the beginning").sentences;
        if is_row(&line) {
            let columns = cells(line);
            let _rule = lines.next_if(is_row);
            while let Some(row) = lines.next_if(is_row) {
                let row = cells(row);
                let further = columns.iter().zip(&row).skip(1).filter(|(_, cell)| !cell.is_empty());
                sentences.extend(further.map(|(column, cell)| format!("{} {column}: {}", row[0], shown(cell))));
            }
        } else if line == "{" {
            let mut json = line.to_owned();
            for line in lines.by_ref() {
                json = format!("{json} {}", line.trim());
                if line == "}" {
                    break;
                }
            }
            sentences.push(shown(&json));
        } else if let (true, Some(before)) = (TYPES.contains(&line), sentences.last_mut()) {
            *before = format!("{before} {line}");
        } else if !line.starts_with('#') {
            sentences.extend(split(line.trim()).iter().map(|sentence| shown(sentence)));
        }
    }
    documents.retain(|document| !document.sentences.is_empty());
    documents
}

/// Returns the built-in protocols whose documents are here as a whole, each with them. Of those of LLM APIs only the
/// sentences are here that rules and schemas rest on.
fn protocols() -> Vec<(&'static Protocol, Vec<Document>)> {
    let whole = ["session-events", "session-records"];
    let all = whole.map(|name| Protocol::builtin(name).expect("it is built in")).into_iter();
    let split = |protocol: &Protocol| {
        let text = protocol.document().expect("a built-in protocol has a document");
        documents(protocol.source().expect("the document has a title"), text)
    };
    all.map(|protocol| (protocol, split(protocol))).collect()
}

/// Returns the names of the page's sections.
fn sections(page: &Page) -> Vec<&str> {
    page.text.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

/// Returns the rows of the table in a section of the page.
fn rows(page: &Page, section: &str) -> Vec<Row> {
    let section = page.section(section);
    let table = section.lines().filter(is_row).skip(2);
    table
        .map(|line| match &cells(line)[..] {
            [sentence, holders] => Row { sentence: sentence.clone(), holders: holders.clone() },
            other => panic!("{line}\nhas {} cells, not a sentence and what holds it", other.len()),
        })
        .collect()
}

/// Returns how often each sentence occurs.
fn counted<'s>(sentences: impl Iterator<Item = &'s str>) -> BTreeMap<&'s str, usize> {
    let mut counts = BTreeMap::new();
    sentences.for_each(|sentence| *counts.entry(sentence).or_default() += 1);
    counts
}

/// Returns the sentences of `these` that are not, or not as often, in `those`.
fn lacking<'s>(these: &BTreeMap<&'s str, usize>, those: &BTreeMap<&str, usize>) -> Vec<&'s str> {
    let fewer = |(sentence, count): (&&'s str, &usize)| (those.get(sentence) < Some(count)).then_some(*sentence);
    these.iter().filter_map(fewer).collect()
}

/// Returns what is wrong with the holders of a sentence: rules and schema pointers between backquotes, and links.
fn wrong_holders(protocol: &Protocol, holders: &str) -> Vec<String> {
    let named: Vec<_> = holders.split('`').skip(1).step_by(2).collect();
    let mut wrong = Vec::new();
    for name in &named {
        let Some((schema, pointer)) = name.split_once(".schema.json#") else {
            if protocol.rule(name).is_none() {
                wrong.push(format!("`{name}` is no rule of {}", protocol.name()));
            }
            continue;
        };
        let found = protocol.schemas().find(|(known, _)| *known == schema);
        if found.is_none_or(|(_, document)| document.pointer(pointer).is_none()) {
            wrong.push(format!("`{name}` is in no schema of {}", protocol.name()));
        }
    }
    let questions = page("docs/open-questions.md");
    for link in holders.split("[open question ").skip(1) {
        let (number, rest) = link.split_once("](open-questions.md#").unwrap_or((link, ""));
        let anchor = rest.split(')').next().unwrap_or_default();
        let mut sections = questions.text.split("\n## ").map(|section| section.split_once('\n').unwrap_or_default());
        let section = sections.find(|(heading, _)| heading.to_lowercase().replace(':', "").replace(' ', "-") == anchor);
        let item = format!("\n{number}. **");
        if section.is_none_or(|(_, text)| !text.contains(&item)) {
            wrong.push(format!("there is no open question {number} in {anchor:?}"));
        }
    }
    // Whoever says that nothing holds a sentence says why.
    let reason: String = holders.split("](").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest)).collect();
    match (named.is_empty(), holders.contains("](")) {
        (true, false) => wrong.push("no rule, no schema and no open question".to_owned()),
        (true, true) if reason.split_whitespace().count() < 8 => {
            wrong.push("no reason why nothing holds it".to_owned())
        }
        _ => {}
    }
    wrong
}

#[test]
fn every_document_has_its_section() {
    let page = page("docs/sentences.md");
    let protocols = protocols();
    let known: Vec<_> = protocols.iter().flat_map(|(_, documents)| documents).map(|one| one.name.as_str()).collect();
    for section in sections(&page) {
        assert!(known.contains(&section), "{section} is no document of a built-in protocol");
    }
    for name in known {
        assert!(sections(&page).contains(&name), "docs/sentences.md has no section {name}");
    }
}

#[test]
fn every_sentence_is_on_the_page_and_every_row_is_true() {
    let page = page("docs/sentences.md");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (protocol, document) in
        protocols().iter().flat_map(|(protocol, all)| all.iter().map(move |one| (protocol, one)))
    {
        let name = &document.name;
        let rows = rows(&page, name);
        let on_page = counted(rows.iter().map(|row| row.sentence.as_str()));
        let in_document = counted(document.sentences.iter().map(String::as_str));
        let missing = lacking(&in_document, &on_page).into_iter();
        wrong.extend(missing.map(|sentence| format!("{name}: the page lacks: {sentence}")));
        let extra = lacking(&on_page, &in_document).into_iter();
        wrong.extend(extra.map(|sentence| format!("{name}: the document does not have: {sentence}")));
        for Row { sentence, holders } in &rows {
            let of_row = wrong_holders(protocol, holders).into_iter();
            wrong.extend(of_row.map(|cause| format!("{name}: {sentence}\n    {cause}")));
        }
        count += rows.len();
    }
    assert!(wrong.is_empty(), "docs/sentences.md:\n{}", wrong.join("\n"));
    assert!(count > 100, "{count} sentences");
}

#[test]
fn a_document_is_split_as_this_file_says() {
    let text = "\
Before. A heading (\"e.g. this.\") Ends it.\n\
\n\
{\n  \"a\": 1,\n  \"b\": { \"c\": [] }\n}\n\
payload.a\nnumber\nHow many? More than one!\n  • a - see model.name, e.g. 1.5 or so\n  2. b - second\n\
\n\
# Other\n\n## Fields\n\n\
| Field | Type | Description |\n| --- | --- | --- |\n| `x` | *str* | Name. Or code |\n| `y` | [n](../n.md) | |\n";
    let other = ["`x` Type: `*str*`", "`x` Description: Name. Or code", "`y` Type: `[n](../n.md)`"];
    let first = [
        "Before.",
        "A heading (\"e.g. this.\")",
        "Ends it.",
        "`{ \"a\": 1, \"b\": { \"c\": [] } }`",
        "payload.a number",
        "How many?",
        "More than one!",
        "• a - see model.name, e.g. 1.5 or so",
        "2. b - second",
    ];
    let document = |name: &str, sentences: &[&str]| Document {
        name: name.to_owned(),
        sentences: sentences.iter().map(|sentence| (*sentence).to_owned()).collect(),
    };
    assert_eq!(documents("Title", text), [document("Title", &first), document("Other", &other)]);
}

#[test]
fn a_wrong_row_is_found() {
    let protocol = Protocol::builtin("session-records").expect("it is built in");
    let open = "[open question 6](open-questions.md#session-records-what-the-documents-leave-open)";
    let reason = "nothing in a record shows how it was made";
    for (holders, count) in [
        ("`missing-field`, by `session.schema.json#/required`".to_owned(), 0),
        (format!("{reason}: {open}"), 0),
        ("`missing-fields`".to_owned(), 1),
        ("`session.schema.json#/properties/nickname`".to_owned(), 1),
        ("`sessions.schema.json#/required`".to_owned(), 1),
        (open.to_owned(), 1),
        (reason.to_owned(), 1),
        (format!("{reason}: {}", open.replace('6', "66")), 1),
        (format!("{reason}: {}", open.replace("records", "record")), 1),
    ] {
        assert_eq!(wrong_holders(protocol, &holders).len(), count, "{holders}");
    }
    let (two, one) = (counted(["a", "a", "b"].into_iter()), counted(["a", "c"].into_iter()));
    assert_eq!((lacking(&two, &one), lacking(&one, &two)), (vec!["a", "b"], vec!["c"]));
}
