//! JSON text, written in one of several ways.

/// A value. Anything but an object or an array is kept as it is written.
#[derive(Clone)]
pub enum Json {
    Scalar(String),
    Array(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// The style of writing.
#[derive(Clone, Copy)]
pub struct Style {
    /// Whether the members of each object are in the opposite order.
    pub reversed: bool,
    /// Whether there is white space after each comma and colon.
    pub spaced: bool,
}

impl Json {
    /// Returns a string with this content, which is already escaped.
    pub fn escaped(content: &str) -> Json {
        Json::Scalar(format!("\"{content}\""))
    }

    pub fn write(&self, style: Style, out: &mut Vec<u8>) {
        let comma: &[u8] = if style.spaced { b", " } else { b"," };
        match self {
            Json::Scalar(text) => out.extend_from_slice(text.as_bytes()),
            Json::Array(items) => {
                out.push(b'[');
                for (number, item) in items.iter().enumerate() {
                    out.extend_from_slice(if number == 0 { b"" } else { comma });
                    item.write(style, out);
                }
                out.push(b']');
            }
            Json::Object(members) => {
                out.push(b'{');
                for number in 0..members.len() {
                    let (key, value) = &members[if style.reversed { members.len() - 1 - number } else { number }];
                    out.extend_from_slice(if number == 0 { b"" } else { comma });
                    out.push(b'"');
                    out.extend_from_slice(key.as_bytes());
                    out.extend_from_slice(if style.spaced { b"\": " } else { b"\":" });
                    value.write(style, out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Returns the content of a string, escaped as most writers do: no more than necessary.
pub fn content(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string is JSON");
    quoted[1..quoted.len() - 1].to_owned()
}
