//! `parse: { format: regex }`: fields by the named groups of a pattern.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use crate::FieldType;

/// The fields of a text by the named groups of a pattern.
pub(super) struct Groups {
    pattern: Regex,
    /// The groups that have a name, with what they are.
    fields: Vec<(usize, String, FieldType)>,
}

impl Groups {
    pub(super) fn new(pattern: &Regex, types: &BTreeMap<String, FieldType>) -> Self {
        let named = pattern.capture_names().enumerate();
        let fields = named.filter_map(|(index, name)| {
            let name = name?.to_owned();
            let kind = types.get(&name).copied().unwrap_or(FieldType::Text);
            Some((index, name, kind))
        });
        Self { fields: fields.collect(), pattern: pattern.clone() }
    }

    /// A group that took no part in the match is null.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        let found = self.pattern.captures(text).ok_or("does not match the pattern")?;
        let fields = self.fields.iter().map(|(index, name, kind)| {
            let value = match found.get(*index) {
                Some(part) => typed(name, part.as_str(), *kind)?,
                None => Value::Null,
            };
            Ok((name.clone(), value))
        });
        fields.collect::<Result<Map<_, _>, String>>().map(Value::Object)
    }
}

/// A text as what it should be.
pub(super) fn typed(name: &str, text: &str, kind: FieldType) -> Result<Value, String> {
    let wrong = |what: &str| format!("{name} is `{text}` and not {what}");
    Ok(match kind {
        FieldType::Text => text.into(),
        FieldType::Int => text.trim().parse::<i64>().map_err(|_| wrong("a whole number"))?.into(),
        FieldType::Float => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| wrong("a number"))?.into()
        }
        FieldType::Bool => match text.trim() {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(wrong("true or false")),
        },
    })
}
