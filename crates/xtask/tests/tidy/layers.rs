//! The modules of a crate stand in layers, and files import downward: no circle, between layers or
//! files.
//!
//! `[layers]` in `tidy.toml` lists the modules of a crate from the ground up. Where
//! `[layers_by_export]` says so, what the crate exports may be imported by that short name, and
//! counts as an import of its module; elsewhere it is imported from its module.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    scan::{Token, closing_brace, reads},
    tree::{File, Finding, Tree},
};

/// A path below the crate's root, and the line of its import.
type Import = (usize, Vec<String>);

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.table("layers").flat_map(|(root, layers)| check_crate(tree, root, layers)).collect()
}

fn check_crate(tree: &Tree, root: &str, layers: &str) -> Vec<Finding> {
    let rank: BTreeMap<&str, usize> = layers.split_whitespace().zip(0..).collect();
    let files: BTreeMap<Vec<String>, &File> = tree
        .rust()
        .filter(|file| !is_test(file))
        .filter_map(|file| Some((module_of(file, root)?, file)))
        .collect();
    let mut findings = Vec::new();
    let mut below: BTreeMap<&[String], BTreeSet<&[String]>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let exports = tree.is_exempt("layers_by_export", root).then(|| Exports::of(tree, root));
    for (module, file) in &files {
        let Some(own) = module.first() else { continue };
        let Some(own_rank) = rank.get(own.as_str()) else {
            let instead =
                format!("give `{own}` its place under [layers] in crates/xtask/tidy.toml");
            findings.push(file.finding(0, instead));
            continue;
        };
        seen.insert(own.as_str());
        for (line, path) in imports_of(file, module) {
            let home = exports.as_ref().filter(|_| !rank.contains_key(path[0].as_str()));
            let path = match home.map(|exports| exports.home_of(&path[0])) {
                Some(Some(home)) if rank.contains_key(home) => vec![home.to_owned()],
                // It is another crate's.
                Some(_) => continue,
                None => path,
            };
            let first = path.first().map_or("", String::as_str);
            match rank.get(first) {
                Some(rank) if rank > own_rank => {
                    let instead = format!(
                        "`{own}` stands below `{first}` ([layers] in crates/xtask/tidy.toml): move \
                         what it needs down, or what needs it up"
                    );
                    findings.push(file.finding(line, instead));
                }
                Some(_) => {}
                // Only the top layer may use the crate as others do.
                None if own_rank + 1 == rank.len() => {}
                None => {
                    let instead = format!("import `{first}` from its module");
                    findings.push(file.finding(line, instead));
                }
            }
            let target = (1..=path.len()).rev().find_map(|n| files.get_key_value(&path[..n]));
            // A folder and what lies in it are one thing.
            if let Some((target, _)) = target
                && !module.starts_with(target)
                && !target.starts_with(module)
            {
                below.entry(module).or_default().insert(target);
            }
        }
    }
    for (module, file) in &files {
        if let Some(path) = circle(module, &below) {
            let instead = format!("it is part of a circle of files: {path}");
            findings.push(file.finding(0, instead));
        }
    }
    for gone in rank.keys().filter(|name| !seen.contains(*name)) {
        findings
            .push(Finding::in_tidy(format!("[layers] {root} has no module `{gone}`: remove it")));
    }
    findings
}

/// What a crate exports, and the first module or crate of where it is from.
struct Exports {
    named: BTreeMap<String, String>,
    /// Of `pub use module::*`, which has what is not named.
    rest: Option<String>,
}

impl Exports {
    fn of(tree: &Tree, root: &str) -> Self {
        let mut exports = Self { named: BTreeMap::new(), rest: None };
        let path = format!("{root}/lib.rs");
        let Some(file) = tree.rust().find(|file| file.path == path) else { return exports };
        let source = file.source();
        let tokens = source.tokens();
        let mut found = Vec::new();
        for at in (0..tokens.len()).filter(|at| reads(&tokens, *at, &["pub", "use"])) {
            let _end = paths(&tokens, at + 2, &[], &mut found);
        }
        for (_, path) in found {
            match (path.first(), path.last()) {
                (Some(home), Some(name)) if name == "*" => exports.rest = Some(home.clone()),
                (Some(home), Some(name)) => {
                    exports.named.insert(name.clone(), home.clone());
                }
                _ => {}
            }
        }
        exports
    }

    fn home_of(&self, name: &str) -> Option<&str> {
        self.named.get(name).or(self.rest.as_ref()).map(String::as_str)
    }
}

/// Files with nothing but tests, which may use the whole crate.
fn is_test(file: &File) -> bool {
    file.path.ends_with("/tests.rs")
}

/// The module of a file, without what the crate exports or runs.
fn module_of(file: &File, root: &str) -> Option<Vec<String>> {
    let path = file.path.strip_prefix(root)?.strip_prefix('/')?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    (!matches!(path, "lib" | "main") && !path.starts_with("program"))
        .then(|| path.split('/').map(str::to_owned).collect())
}

/// What a file imports from its crate, outside of its tests.
fn imports_of(file: &File, module: &[String]) -> Vec<Import> {
    let source = file.source();
    let tokens = source.tokens();
    let parent = if file.path.ends_with("/mod.rs") { module } else { &module[..module.len() - 1] };
    let mut imports = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if reads(&tokens, at, &["mod", "tests", "{"]) {
            at = closing_brace(&tokens, at);
            continue;
        }
        let is_macro = at > 0 && tokens[at - 1].text == "$";
        let base = match tokens[at].text {
            "crate" if !is_macro => Some(Vec::new()),
            "super" if file.path.ends_with("/mod.rs") => Some(parent[..parent.len() - 1].to_vec()),
            "super" => Some(parent.to_vec()),
            _ => None,
        };
        match base {
            Some(base) if reads(&tokens, at + 1, &["::"]) => {
                at = paths(&tokens, at + 2, &base, &mut imports);
            }
            _ => at += 1,
        }
    }
    // `super` from a file at the root is the crate itself.
    imports.retain(|(_, path)| !path.is_empty());
    imports
}

/// Collects the paths of a tree such as `a::{b, c::D}`, and says where it ends.
fn paths(tokens: &[Token<'_>], at: usize, base: &[String], found: &mut Vec<Import>) -> usize {
    let Some(token) = tokens.get(at) else { return at };
    if token.text == "{" {
        let mut at = at + 1;
        while at < tokens.len() && tokens[at].text != "}" {
            at = if tokens[at].text == "," { at + 1 } else { paths(tokens, at, base, found) };
        }
        return at + 1;
    }
    let mut path = base.to_vec();
    if token.text != "self" {
        path.push(token.text.to_owned());
    }
    if reads(tokens, at + 1, &["::"]) {
        return paths(tokens, at + 2, &path, found);
    }
    found.push((token.line, path));
    if reads(tokens, at + 1, &["as"]) { at + 3 } else { at + 1 }
}

/// A way from a file back to itself.
fn circle(start: &[String], below: &BTreeMap<&[String], BTreeSet<&[String]>>) -> Option<String> {
    let mut ways: Vec<Vec<&[String]>> = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in below.get(way.last()?).into_iter().flatten().copied() {
            if next == start {
                let names: Vec<String> = way.iter().map(|module| module.join("::")).collect();
                return Some(format!("{} -> {}", names.join(" -> "), start.join("::")));
            }
            if seen.insert(next) {
                ways.push(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

#[test]
fn an_import_from_above_is_found() {
    let files = [
        ("a/src/lib.rs", "mod low;\nmod mid;\nmod top;\npub use top::Top;"),
        (
            "a/src/low.rs",
            "use crate::{mid::{one::One, Mid}};\n#[cfg(test)]\nmod tests {\n    use crate::Top;\n}\n",
        ),
        ("a/src/mid/mod.rs", "mod one;\nmod two;\nuse crate::Top;"),
        ("a/src/mid/one.rs", "use super::{Mid, two::Two};"),
        ("a/src/mid/two.rs", "use crate::{low::Low, mid::one::One};"),
        ("a/src/mid/tests.rs", "use crate::top::Top;"),
        (
            "a/src/top.rs",
            "// crate::gone\nuse crate::{Top, mid::Mid};\nmacro_rules! m { () => { $crate::x::Y } }",
        ),
        ("a/src/new.rs", ""),
    ];
    let tree = Tree::sample(&files).with_exemptions("[layers]\n'a/src' = 'low mid gone top'");

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 8, "{findings:#?}");
    assert!(findings[0].starts_with("a/src/low.rs:1: `low` stands below `mid`"));
    assert!(findings[1].starts_with("a/src/low.rs:1: `low` stands below `mid`"));
    assert!(findings[2].starts_with("a/src/mid/mod.rs:3: import `Top` from its module"));
    assert!(findings[3].starts_with("a/src/new.rs: give `new` its place"));
    assert!(findings[4].ends_with("circle of files: low -> mid::one -> mid::two -> low"));
    assert!(findings[5].ends_with("circle of files: mid::one -> mid::two -> mid::one"));
    assert!(findings[6].ends_with("circle of files: mid::two -> mid::one -> mid::two"));
    assert!(findings[7].ends_with("has no module `gone`: remove it"));
}

#[test]
fn an_import_from_above_by_the_name_of_an_export_is_found() {
    let files = [
        (
            "a/src/lib.rs",
            "mod parts;\nmod ops;\npub use ops::*;\npub use parts::Part;\npub use other::Other;",
        ),
        (
            "a/src/parts.rs",
            "use crate::{Other, Part};\nuse crate::Filter;\nuse crate::ops::map::Map;",
        ),
        ("a/src/ops/mod.rs", "mod filter;\nmod map;"),
        ("a/src/ops/map.rs", "use crate::{Part, ops::filter::Filter};"),
        ("a/src/ops/filter.rs", "use super::map::Map;"),
    ];
    let exemptions = "[layers]\n'a/src' = 'parts ops'\n[layers_by_export]\n'a/src' = 'short'";
    let tree = Tree::sample(&files).with_exemptions(exemptions);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 5, "{findings:#?}");
    assert!(findings[0].starts_with("a/src/parts.rs:2: `parts` stands below `ops`"));
    assert!(findings[1].starts_with("a/src/parts.rs:3: `parts` stands below `ops`"));
    assert!(findings[2].ends_with("circle of files: ops::filter -> ops::map -> ops::filter"));
    assert!(findings[3].ends_with("circle of files: ops::map -> parts -> ops::map"));
    assert!(findings[4].ends_with("circle of files: parts -> ops::map -> parts"));
}
