//! What must not be kept: the values of headers that may be secret, which a server may send back.

use memchr::memmem::Finder;

/// Parts of the names of headers whose values are secret.
const SECRET_NAMES: [&str; 8] = ["auth", "key", "token", "secret", "cookie", "password", "session", "credential"];
/// The length of the shortest value that is taken for secret, in bytes. Shorter ones are found in any text.
const SHORTEST: usize = 6;

/// Returns whether the value of a header of this name is secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Finds secret values, and what they are made of: in `Bearer VALUE` the value too.
#[derive(Default)]
pub struct Secrets {
    finders: Vec<Finder<'static>>,
}

impl Secrets {
    /// Adds the value of a header.
    pub fn add(&mut self, value: &str) {
        let value = value.trim();
        // The name of a scheme, such as Bearer, is no secret.
        let parts = value.split_once(' ').map(|(_, rest)| rest.trim());
        let of_cookie = value.split(';').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.trim());
        let whole = parts.is_none().then_some(value);
        for part in whole.into_iter().chain(parts).chain(of_cookie).filter(|part| part.len() >= SHORTEST) {
            let written = serde_json::Value::from(part).to_string();
            let escaped = &written[1..written.len() - 1];
            self.finders.push(Finder::new(part).into_owned());
            if escaped != part {
                self.finders.push(Finder::new(escaped).into_owned());
            }
        }
        // What contains another one is to be covered as a whole.
        self.finders.sort_by_key(|finder| std::cmp::Reverse(finder.needle().len()));
    }

    /// Covers the secrets in a text with asterisks, as many as they have bytes.
    pub fn cover(&self, text: &mut [u8]) {
        for finder in &self.finders {
            let length = finder.needle().len();
            let mut from = 0;
            while let Some(at) = finder.find(&text[from..]) {
                text[from + at..from + at + length].fill(b'*');
                from += at + length;
            }
        }
    }

    /// Covers the secrets in a message.
    pub fn covered(&self, message: String) -> String {
        let mut bytes = message.into_bytes();
        self.cover(&mut bytes);
        // Only whole characters were covered: a value of a header is ASCII.
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_covered_wherever_it_stands() {
        let mut secrets = Secrets::default();
        secrets.add("Bearer sk-123456");
        secrets.add("id=abcdefgh; theme=dark-blue");
        secrets.add("quo\"ted1");
        secrets.add("short");
        let covered = |text: &str| secrets.covered(text.to_owned());
        assert_eq!(covered("key sk-123456, again sk-123456sk-123456"), "key *********, again ******************");
        assert_eq!(covered("Bearer tokens are short"), "Bearer tokens are short");
        assert_eq!(covered("abcdefgh quo\"ted1 {\"a\": \"quo\\\"ted1\"}"), "******** ******** {\"a\": \"*********\"}");
        assert!(is_secret_name("X-Api-Key") && is_secret_name("Authorization") && !is_secret_name("Accept"));
    }
}
