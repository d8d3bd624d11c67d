//! Values of variables, which are not shown.

use std::{collections::HashMap, sync::Arc};

use millstream::Error;

/// The values that stand in a file as `${NAME}`, with their names. Nobody is shown them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<[(String, String)]>);

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
        Self(used.into())
    }

    /// The text with names in place of values.
    pub(crate) fn scrub(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
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

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Pipelines that say the same are the same, whatever their variables are called.
impl PartialEq for Secrets {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
