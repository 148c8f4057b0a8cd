//! The values that a key may hold.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::{FromToml, Reader, Value};

impl FromToml for String {
    const NOUN: &'static str = "string";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            let help = match value.get_ref() {
                DeValue::Array(_) => "write one string, without [ and ]",
                DeValue::Table(_) => "write one string, without { and }",
                _ => "put it in quotation marks",
            };
            reader.wrong_type(key, value, "a string", help);
        }
        text.map(str::to_owned)
    }
}

impl FromToml for bool {
    const NOUN: &'static str = "boolean";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<bool> {
        let known = value.get_ref().as_bool();
        if known.is_none() {
            reader.wrong_type(key, value, "a boolean", "write true or false");
        }
        known
    }
}

impl FromToml for f64 {
    const NOUN: &'static str = "number";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<f64> {
        let number = match value.get_ref() {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(_) => whole_number(value).map(|number| number as f64),
            _ => None,
        };
        if number.is_none() {
            reader.wrong_type(key, value, "a number", reader.help);
        }
        number
    }
}

/// Implements [`FromToml`] for types of whole numbers.
macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl FromToml for $type {
            const NOUN: &'static str = "whole number";

            fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<$type> {
                if !value.get_ref().is_integer() {
                    reader.wrong_type(key, value, "a whole number", reader.help);
                    return None;
                }
                let number = whole_number(value).and_then(|number| number.try_into().ok());
                if number.is_none() {
                    let message = format!("`{key}` must be a whole number from {} to {}", <$type>::MIN, <$type>::MAX);
                    reader.problem(value.span(), message, reader.help);
                }
                number
            }
        }
    )*};
}

whole_numbers!(u32, u64, i64);

/// Returns the number of an integer; `None` for another value, or for a number of more than 128 bits.
fn whole_number(value: &Value<'_>) -> Option<i128> {
    let number = value.get_ref().as_integer()?;
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

impl<T: FromToml> FromToml for Option<T> {
    const NOUN: &'static str = T::NOUN;

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Option<T>> {
        T::from_toml(key, value, reader).map(Some)
    }
}

impl<T: FromToml> FromToml for Spanned<T> {
    const NOUN: &'static str = T::NOUN;

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Spanned<T>> {
        T::from_toml(key, value, reader).map(|read| Spanned::new(value.span(), read))
    }
}

impl<T: FromToml> FromToml for Vec<T> {
    const NOUN: &'static str = "list";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Vec<T>> {
        let Some(items) = value.get_ref().as_array() else {
            reader.wrong_type(key, value, &format!("a list of {}s", T::NOUN), reader.help);
            return None;
        };
        let read: Vec<T> = items.iter().filter_map(|item| T::from_toml(key, item, reader)).collect();
        (read.len() == items.len()).then_some(read)
    }
}

impl<T: FromToml, const N: usize> FromToml for [T; N] {
    const NOUN: &'static str = "list";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<[T; N]> {
        let items = Vec::<T>::from_toml(key, value, reader)?;
        let count = items.len();
        let read = items.try_into().ok();
        if read.is_none() {
            reader.problem(value.span(), format!("`{key}` must have {N} items, but has {count}"), reader.help);
        }
        read
    }
}

/// A list, or its only item without the list.
#[derive(Clone, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> OneOrMany<T> {
        OneOrMany(Vec::new())
    }
}

impl<T: FromToml> FromToml for OneOrMany<T> {
    const NOUN: &'static str = T::NOUN;

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<OneOrMany<T>> {
        match value.get_ref() {
            DeValue::Array(_) => Vec::from_toml(key, value, reader).map(OneOrMany),
            _ => T::from_toml(key, value, reader).map(|one| OneOrMany(vec![one])),
        }
    }
}

impl<T: FromToml> FromToml for BTreeMap<Spanned<String>, T> {
    const NOUN: &'static str = "table";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<BTreeMap<Spanned<String>, T>> {
        let Some(table) = value.get_ref().as_table() else {
            reader.wrong_type(key, value, "a table", reader.help);
            return None;
        };
        let read: BTreeMap<_, _> = table
            .iter()
            .filter_map(|(name, value)| {
                let read = T::from_toml(name.get_ref(), value, reader)?;
                Some((Spanned::new(name.span(), name.get_ref().to_string()), read))
            })
            .collect();
        (read.len() == table.len()).then_some(read)
    }
}

impl FromToml for serde_json::Map<String, serde_json::Value> {
    const NOUN: &'static str = "table";

    fn from_toml(
        key: &str,
        value: &Value<'_>,
        reader: &mut Reader,
    ) -> Option<serde_json::Map<String, serde_json::Value>> {
        match reader.json(value)? {
            serde_json::Value::Object(members) => Some(members),
            _ => {
                reader.wrong_type(key, value, "a table", reader.help);
                None
            }
        }
    }
}

impl Reader {
    /// Converts a value to JSON. A date becomes a string.
    pub fn json(&mut self, value: &Value<'_>) -> Option<serde_json::Value> {
        let json = match value.get_ref() {
            DeValue::String(text) => Some(text.as_ref().into()),
            DeValue::Boolean(known) => Some((*known).into()),
            DeValue::Datetime(time) => Some(time.to_string().into()),
            DeValue::Integer(_) => whole_number(value).and_then(|number| i64::try_from(number).ok()).map(Into::into),
            DeValue::Float(number) => {
                number.as_str().parse().ok().and_then(serde_json::Number::from_f64).map(serde_json::Value::Number)
            }
            DeValue::Array(items) => {
                let read: Vec<_> = items.iter().filter_map(|item| self.json(item)).collect();
                return (read.len() == items.len()).then_some(read.into());
            }
            DeValue::Table(table) => {
                let read: serde_json::Map<_, _> = table
                    .iter()
                    .filter_map(|(name, value)| Some((name.get_ref().to_string(), self.json(value)?)))
                    .collect();
                return (read.len() == table.len()).then_some(read.into());
            }
        };
        if json.is_none() {
            self.problem(
                value.span(),
                "JSON has no such number".to_owned(),
                "write a finite number of 64 bits, or a string",
            );
        }
        json
    }
}
