//! `if`, `then` and `else` → arms, where all conditions ask for the value of one member.

use serde_json::Value;

use super::arms::{ARMS, arms};
use super::{Keywords, Lowering, NOTES, OF_DOCUMENT, listed_words, required_names_of};

/// A condition on the value of one member.
struct Condition<'c> {
    /// The name of the member.
    at: &'c str,
    values: Vec<&'c str>,
    /// Whether the condition asks for the member to be there.
    is_required: bool,
    then: Option<&'c Value>,
    otherwise: Option<&'c Value>,
}

/// Returns whether a schema is a condition and nothing else.
pub(super) fn is_condition(keywords: &Keywords) -> bool {
    let known = |key: &String| ["if", "then", "else"].contains(&key.as_str()) || NOTES.contains(&key.as_str());
    keywords.contains_key("if") && keywords.keys().all(known)
}

impl<'c> Condition<'c> {
    /// Reads a condition; `None` if it is another one than on the value of one member.
    fn of(keywords: &'c Keywords) -> Option<Condition<'c>> {
        let asked = keywords.get("if")?.as_object()?;
        let is_known = |(key, value): (&String, &Value)| match key.as_str() {
            "properties" | "required" => true,
            "type" => value == "object",
            key => NOTES.contains(&key),
        };
        if !asked.iter().all(is_known) {
            return None;
        }
        let mut members = asked.get("properties")?.as_object()?.iter();
        let (Some((at, member)), None) = (members.next(), members.next()) else { return None };
        let is_plain = |(key, value): (&String, &Value)| match key.as_str() {
            "const" | "enum" => true,
            "type" => value == "string",
            key => NOTES.contains(&key),
        };
        if !member.as_object()?.iter().all(is_plain) {
            return None;
        }
        let required: Vec<_> = asked.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        if required.iter().any(|name| *name != at) {
            return None;
        }
        Some(Condition {
            at,
            values: listed_words(member)?,
            is_required: !required.is_empty(),
            then: keywords.get("then"),
            otherwise: keywords.get("else"),
        })
    }
}

impl Lowering<'_> {
    /// Adds conditions to what an object must be anyway.
    pub(super) fn conditional(&mut self, base: Keywords, conditions: &[&Keywords]) -> Option<Keywords> {
        let conditions: Vec<_> = conditions.iter().map(|keywords| Condition::of(keywords)).collect::<Option<_>>()?;
        let at = conditions.first()?.at;
        let is_required = required_names_of(&base).any(|name| name == at);
        let fits = |condition: &Condition| condition.at == at && (condition.is_required || is_required);
        if base.contains_key(ARMS) || base.get("type")? != "object" || !conditions.iter().all(fits) {
            return None;
        }
        // Values that meet the same conditions have one arm.
        let mut chosen: Vec<(Vec<String>, Vec<bool>)> = Vec::new();
        for value in conditions.iter().flat_map(|condition| &condition.values) {
            let met: Vec<_> = conditions.iter().map(|condition| condition.values.contains(value)).collect();
            match chosen.iter_mut().find(|(_, known)| *known == met) {
                Some((values, _)) if values.iter().any(|known| known == value) => {}
                Some((values, _)) => values.push((*value).to_owned()),
                None => chosen.push((vec![(*value).to_owned()], met)),
            }
        }
        let mut each = Vec::new();
        self.spend(base.values(), chosen.len() + 2)?;
        for (values, met) in chosen {
            each.push((values, self.under(&base, &conditions, &met)?));
        }
        let otherwise = self.under(&base, &conditions, &vec![false; conditions.len()])?;
        let is_note = |key: &String| key == "type" || NOTES.contains(&key.as_str());
        let mut form: Keywords =
            base.iter().filter(|(key, _)| is_note(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
        form.extend([arms(at, each, Some(otherwise))]);
        Some(form)
    }

    /// Returns what an object must be if it meets some of the conditions.
    fn under(&mut self, base: &Keywords, conditions: &[Condition<'_>], met: &[bool]) -> Option<Keywords> {
        let mut form = base.clone();
        form.retain(|key, _| key != "examples" && !OF_DOCUMENT.contains(&key.as_str()));
        for (condition, met) in conditions.iter().zip(met) {
            if let Some(schema) = if *met { condition.then } else { condition.otherwise } {
                let part = self.form(schema)?;
                form = self.both(form, part)?;
            }
        }
        Some(form)
    }
}
