//! JSON text, parsed and written again without loss: the same events in another form.
//!
//! Strings keep their escapes and numbers their digits, because that is what most of the properties vary
//! (and `serde_json` would refuse the halves of characters that chunks may hold).

use std::fmt::{self, Write as _};

/// A JSON text whose strings and numbers are kept as written.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// A number or one of the three keywords.
    Bare(String),
    /// The text between the quotes, still escaped.
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// A style of writing: chooses between forms that mean the same.
pub trait Writing {
    /// White space between tokens.
    fn space(&mut self) -> &'static str {
        ""
    }

    /// The content of a string, given as it was written.
    fn text(&mut self, raw: &str) -> String {
        raw.to_owned()
    }

    /// The order of an object's members, as indices.
    fn order(&mut self, count: usize) -> Vec<usize> {
        (0..count).collect()
    }
}

/// No space, and nothing changed.
pub struct Minified;

impl Writing for Minified {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.minified())
    }
}

impl Json {
    /// Parses a text; `None` if it is too deep or not JSON (as far as the tests need to know).
    pub fn parse(text: &str) -> Option<Json> {
        let mut rest = text;
        let json = value(&mut rest, 0)?;
        rest.trim_start().is_empty().then_some(json)
    }

    pub fn text(content: &str) -> Json {
        Json::Text(content.to_owned())
    }

    /// Returns the value at the segments of a pointer.
    pub fn at(&self, path: &[String]) -> Option<&Json> {
        path.iter().try_fold(self, |json, segment| match json {
            Json::Object(members) => members.iter().rev().find(|(name, _)| name == segment).map(|(_, value)| value),
            Json::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
    }

    fn at_mut(&mut self, path: &[String]) -> Option<&mut Json> {
        path.iter().try_fold(self, |json, segment| match json {
            Json::Object(members) => members.iter_mut().rev().find(|(name, _)| name == segment).map(|(_, value)| value),
            Json::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Returns a copy with another value at a path that exists, or without it.
    pub fn with(&self, path: &[String], value: Option<Json>) -> Json {
        let mut changed = self.clone();
        let (name, holder) = path.split_last().expect("a field has a name");
        if let Some(value) = value {
            *changed.at_mut(path).expect("the field is there") = value;
        } else if let Some(Json::Object(members)) = changed.at_mut(holder) {
            members.retain(|(known, _)| known != name);
        }
        changed
    }

    /// Returns the paths of everything inside, without the root.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let children: Vec<(String, &Json)> = match self {
            Json::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
            Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
            _ => Vec::new(),
        };
        let mut paths = Vec::new();
        for (segment, child) in children {
            paths.push(vec![segment.clone()]);
            paths.extend(child.paths().into_iter().map(|rest| [vec![segment.clone()], rest].concat()));
        }
        paths
    }

    /// Returns a copy with another name for a member of an object.
    pub fn renamed(&self, path: &[String], new: &str) -> Json {
        let mut changed = self.clone();
        let (name, holder) = path.split_last().expect("a field has a name");
        if let Some(Json::Object(members)) = changed.at_mut(holder) {
            for (known, _) in members.iter_mut().filter(|(known, _)| known == name) {
                *known = new.to_owned();
            }
        }
        changed
    }

    /// Returns the depth of nested arrays and objects.
    pub fn depth(&self) -> usize {
        match self {
            Json::Array(items) => 1 + items.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Returns whether an object has a key twice, so that the order of its members matters.
    pub fn has_duplicate_keys(&self) -> bool {
        match self {
            Json::Array(items) => items.iter().any(Json::has_duplicate_keys),
            Json::Object(members) => {
                let keys: Vec<_> = members.iter().map(|(name, _)| units(name)).collect();
                let twice = keys.iter().enumerate().any(|(index, key)| keys[..index].contains(key));
                twice || members.iter().any(|(_, value)| value.has_duplicate_keys())
            }
            _ => false,
        }
    }

    /// Writes the value on one line (unless the chosen white space has line ends).
    pub fn write(&self, writing: &mut dyn Writing) -> String {
        let mut out = String::new();
        out.push_str(writing.space());
        self.write_to(&mut out, writing);
        out.push_str(writing.space());
        out
    }

    pub fn minified(&self) -> String {
        self.write(&mut Minified)
    }

    fn write_to(&self, out: &mut String, writing: &mut dyn Writing) {
        match self {
            Json::Bare(bare) => out.push_str(bare),
            Json::Text(raw) => {
                let _ = write!(out, "\"{}\"", writing.text(raw));
            }
            Json::Array(items) => {
                out.push('[');
                out.push_str(writing.space());
                for (index, item) in items.iter().enumerate() {
                    comma(index, out, writing);
                    item.write_to(out, writing);
                    out.push_str(writing.space());
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                out.push_str(writing.space());
                for (place, index) in writing.order(members.len()).into_iter().enumerate() {
                    let (name, value) = &members[index];
                    comma(place, out, writing);
                    let _ = write!(out, "\"{}\"{}:{}", writing.text(name), writing.space(), writing.space());
                    value.write_to(out, writing);
                    out.push_str(writing.space());
                }
                out.push('}');
            }
        }
    }

    /// Writes the value over several lines, as people read it.
    pub fn pretty(&self, indent: usize) -> String {
        let pad = "  ".repeat(indent + 1);
        let lines: Vec<_> = match self {
            Json::Array(items) => items.iter().map(|item| format!("{pad}{}", item.pretty(indent + 1))).collect(),
            Json::Object(members) => {
                members.iter().map(|(name, value)| format!("{pad}\"{name}\": {}", value.pretty(indent + 1))).collect()
            }
            _ => Vec::new(),
        };
        if lines.is_empty() {
            return self.minified();
        }
        let (open, close) = if matches!(self, Json::Array(_)) { ('[', ']') } else { ('{', '}') };
        format!("{open}\n{}\n{}{close}", lines.join(",\n"), "  ".repeat(indent))
    }
}

fn comma(index: usize, out: &mut String, writing: &mut dyn Writing) {
    if index > 0 {
        out.push(',');
        out.push_str(writing.space());
    }
}

fn value(rest: &mut &str, depth: usize) -> Option<Json> {
    *rest = rest.trim_start();
    if depth > 130 {
        return None;
    }
    match rest.chars().next()? {
        '"' => string(rest).map(Json::Text),
        '[' => {
            let mut items = Vec::new();
            list(rest, ']', |rest| {
                items.push(value(rest, depth + 1)?);
                Some(())
            })?;
            Some(Json::Array(items))
        }
        '{' => {
            let mut members = Vec::new();
            list(rest, '}', |rest| {
                *rest = rest.trim_start();
                let name = string(rest)?;
                *rest = rest.trim_start().strip_prefix(':')?;
                members.push((name, value(rest, depth + 1)?));
                Some(())
            })?;
            Some(Json::Object(members))
        }
        _ => {
            let end = rest.find([',', ']', '}', ' ', '\t']).unwrap_or(rest.len());
            let bare = (end > 0).then(|| rest[..end].to_owned())?;
            *rest = &rest[end..];
            Some(Json::Bare(bare))
        }
    }
}

/// Writes items in brackets, with commas between them.
fn list(rest: &mut &str, close: char, mut item: impl FnMut(&mut &str) -> Option<()>) -> Option<()> {
    *rest = rest[1..].trim_start();
    if let Some(after) = rest.strip_prefix(close) {
        *rest = after;
        return Some(());
    }
    loop {
        item(rest)?;
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(close) {
            *rest = after;
            return Some(());
        }
        *rest = rest.strip_prefix(',')?;
    }
}

fn string(rest: &mut &str) -> Option<String> {
    let content = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = content.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    *rest = &content[end + 1..];
    Some(content[..end].to_owned())
}

/// Returns the UTF-16 units of a string's content; halves of surrogate pairs are kept.
pub fn units(raw: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        let plain = match (c, (c == '\\').then(|| rest.next()).flatten()) {
            (_, Some('u')) => {
                let digits: String = rest.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).expect("four hexadecimal digits"));
                continue;
            }
            (_, Some('n')) => '\n',
            (_, Some('t')) => '\t',
            (_, Some('r')) => '\r',
            (_, Some('b')) => '\u{8}',
            (_, Some('f')) => '\u{C}',
            (_, Some(other)) => other,
            (plain, None) => plain,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    units
}
