//! A request and its response: what may be shown of them.

/// A request and its response.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    pub method: Option<String>,
    /// The path of the request's address, without anything that may be secret.
    pub path: Option<String>,
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub has_request: bool,
    pub has_response: bool,
    /// Whether the response, or its body, is written elsewhere in the file.
    pub is_repeated: bool,
}

impl Exchange {
    /// Returns whether both the request and the response are there: the file was made to hold responses.
    pub fn is_whole(&self) -> bool {
        self.has_request && self.has_response
    }

    /// Returns the media type of the response, without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let media_type = self.content_type.as_deref()?.split(';').next().unwrap_or_default();
        Some(media_type.trim().to_ascii_lowercase())
    }
}

/// The longest method that is shown, in letters.
const LONGEST_METHOD: usize = 16;
/// The longest path that is shown, in characters.
const LONGEST_PATH: usize = 80;

/// Returns a method as it is shown; `None` for what is none.
pub fn method(text: &str) -> Option<String> {
    let is_method = (1..=LONGEST_METHOD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_method.then(|| text.to_ascii_uppercase())
}

/// Returns the path of an address: neither the names and keys that may stand before it nor the query behind it, in which
/// some services take a key.
pub fn path(address: &str) -> Option<String> {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let path = address.split_once("://").map_or(address, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let mut shown: String = path.chars().take(LONGEST_PATH).collect();
    if shown.len() < path.len() {
        shown.push('…');
    }
    // Behind two slashes there may be a user and a password.
    (path.starts_with('/') && !path.starts_with("//")).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (address, shown) in [
            ("https://user:secret@host:1/v1/messages?key=secret#secret", Some("/v1/messages")),
            ("https://host", Some("/")),
            ("/v1/responses?api-version=1", Some("/v1/responses")),
            ("secret", None),
            ("//user:secret@host/x", None),
            ("https://host?key=secret/secret", Some("/")),
        ] {
            assert_eq!(path(address).as_deref(), shown, "{address}");
        }
        assert_eq!(path(&format!("/{}", "é".repeat(100))).map(|path| path.chars().count()), Some(LONGEST_PATH + 1));
        assert_eq!(method("post").as_deref(), Some("POST"));
        assert_eq!((method(""), method("Bearer sk-1")), (None, None));
    }
}
