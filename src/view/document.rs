//! Puts a page together: its structure, its one style and its one script, and what it shows as data.
//!
//! What comes from a recording is in the data alone, which no parser of HTML reads as anything but text, and the script
//! inserts it as text. Should either have a mistake, the page's policy forbids everything that is not of this program: it
//! names the style and the script by their digests, and allows no address at all.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sessionlint_core::text::{is_control, visible};
use sha2::{Digest, Sha256};

/// The style of the page.
const STYLE: &str = include_str!("../page/page.css");

/// The script of the page, in the order in which its parts build on each other.
const SCRIPT: [&str; 9] = [
    include_str!("../page/base.js"),
    include_str!("../page/model.js"),
    include_str!("../page/scene.js"),
    include_str!("../page/paint.js"),
    include_str!("../page/timeline.js"),
    include_str!("../page/lists.js"),
    include_str!("../page/detail.js"),
    include_str!("../page/machine.js"),
    include_str!("../page/main.js"),
];

/// What ends the title of every page, by which one is recognised.
const TITLE: &str = " — sessionlint</title>";

/// The number of bytes in which the title of a page stands: the name of a file is shorter.
const MOST_HEAD: u64 = 4096;

/// Returns whether a file is a page, or empty.
///
/// # Errors
///
/// Returns an error if the file cannot be read.
pub fn is_page(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(MOST_HEAD).read_to_end(&mut beginning)?;
    let beginning = String::from_utf8_lossy(&beginning);
    Ok(beginning.is_empty() || beginning.starts_with("<!doctype html>") && beginning.contains(TITLE))
}

/// Returns the page.
pub(super) fn html(title: &str, data: &Value) -> String {
    let script = format!("\"use strict\";\n(() => {{\n{}\n}})();\n", SCRIPT.join("\n"));
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        digest(&script),
        digest(STYLE)
    );
    let title = escaped_text(&visible(title));
    let data = escaped_data(data);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}{TITLE}\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <noscript>This page needs JavaScript, which it has inside.</noscript>\n<div id=\"page\"></div>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{script}</script>\n</body>\n</html>\n"
    )
}

/// Returns how a policy names a script or a style: by its digest.
fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// Returns data as JSON in which no character can end the element that it is in.
fn escaped_data(data: &Value) -> String {
    let json = data.to_string();
    let mut escaped = String::with_capacity(json.len() + json.len() / 16);
    // These characters stand only in strings.
    for c in json.chars() {
        match c {
            '<' | '>' | '&' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            // Among them those that would end a line of the script, and those that turn text around.
            _ if is_control(c) => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

fn escaped_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_policy_names_the_script_and_the_style_that_are_there() {
        let page = html("a", &json!({}));
        let between = |start: &str, end: &str| {
            let (_, rest) = page.split_once(start).expect("it is there");
            rest.split_once(end).expect("it ends").0.to_owned()
        };
        for (text, source) in
            [(between("<style>", "</style>"), "style-src"), (between("<script>", "</script>"), "script-src")]
        {
            assert!(page.contains(&format!("{source} '{}'", digest(&text))), "{source}");
        }
        assert!(!page.contains("unsafe-inline") && page.contains("default-src 'none'"));
    }

    #[test]
    fn data_cannot_end_its_element() {
        let data = json!({"a": "</script><script>alert(1)</script>\u{2028}<!--&"});
        let escaped = escaped_data(&data);
        assert!(!escaped.contains(['<', '>', '&', '\u{2028}']), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).expect("it is JSON"), data);
        assert!(html("<b>", &data).contains("<title>&lt;b&gt; —"));
    }
}
