//! Values of variables, which are not shown.

use std::{collections::HashMap, sync::Arc};

use millstream::Error;

/// The values that stand in a file as `${NAME}`, with their names. Nobody is shown them.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    values: Arc<[(String, String)]>,
    /// The lines of the file that have one.
    literals: Arc<[usize]>,
}

/// Names of keys whose values are secrets.
const KEYS: [&str; 4] = ["authorization", "password", "token", "nkey"];

impl Secrets {
    /// Those of `variables` whose names stand in `text`.
    pub(crate) fn of(text: &str, variables: &HashMap<String, String>) -> Self {
        // A value of a few characters would take away parts of words, and is no secret.
        let used = variables
            .iter()
            .filter(|(name, value)| value.len() >= 4 && text.contains(&format!("${{{name}")));
        let mut used: Vec<_> = used.map(|(name, value)| (name.clone(), value.clone())).collect();
        // One may be a part of another.
        used.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        Self { values: used.into(), literals: literals(text).collect() }
    }

    /// The lines of the file, counted from 1, that have a secret in place of a reference to one.
    pub(crate) fn literals(&self) -> &[usize] {
        &self.literals
    }

    /// The text with names in place of values.
    pub(crate) fn scrub(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(value.as_str(), &format!("${{{name}}}"))
        })
    }

    /// The error with names in place of values, and without a cause if that may show one.
    pub(crate) fn scrub_error(&self, error: Error) -> Error {
        let text = error.to_string();
        let scrubbed = self.scrub(&text);
        if scrubbed == text { error } else { Error::new(error.kind(), scrubbed) }
    }
}

/// The lines with a key of [`KEYS`] whose value is no reference.
fn literals(text: &str) -> impl Iterator<Item = usize> + '_ {
    let has_one = |line: &str| {
        KEYS.iter().any(|key| {
            line.match_indices(key).any(|(at, _)| {
                // In quotes of this kind it is a name in an expression.
                let is_part = |c: char| c.is_alphanumeric() || "_'".contains(c);
                let is_key = !line[..at].ends_with(is_part);
                let value = line[at + key.len()..].trim_start_matches('"');
                let Some(value) = value.strip_prefix(':') else { return false };
                let value = value.trim_start().trim_start_matches(['"', '\'']);
                is_key && !value.is_empty() && !value.starts_with(['$', '#'])
            })
        })
    };
    let lines = text.lines().enumerate();
    lines
        .filter(move |(_, line)| !line.trim_start().starts_with('#') && has_one(line))
        .map(|(n, _)| n + 1)
}

#[test]
fn secrets_in_the_file_are_found_and_references_are_none() {
    let text = "
user: token
password: hunter2
password: ${PASSWORD}
password: \"${PASSWORD}\"
{ token: 'abc', nkey: ${NKEY} }
# token: abc
map: \"{'token': token}\"
filter: token == 'abc'
credentials: { \"password\": \"x\" }
";
    assert_eq!(literals(text).collect::<Vec<_>>(), [3, 6, 10]);
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(name, _)| name)).finish()
    }
}

/// Pipelines that say the same are the same, whatever their variables are called.
impl PartialEq for Secrets {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
