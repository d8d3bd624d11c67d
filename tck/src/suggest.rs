//! Names that were probably meant.

/// The names that are nearest to a word, as `a, b, c`.
#[must_use]
#[expect(single_use_lifetimes, reason = "it cannot be left out in `impl Iterator` yet")]
pub fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names
        .map(|name| (strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase()), name))
        .collect();
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    names.dedup();
    names.truncate(3);
    let names: Vec<_> = names.iter().map(|(_, name)| format!("`{name}`")).collect();
    names.join(", ")
}
