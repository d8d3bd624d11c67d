//! Only the kernel says `unsafe`, and only its facade chooses between std's atomics, loom's and
//! shuttle's.

use crate::{
    scan::{Token, closing_brace, reads},
    tree::{File, Finding, Tree},
};

const KERNEL: &str = "crates/millstream-kernel/";
const FACADE: &str = "crates/millstream-kernel/src/sync.rs";

/// What may stand in for `std`, and where its models are.
const CHECKERS: [(&str, &str); 2] = [
    ("loom", "crates/millstream-kernel/tests/loom"),
    ("shuttle", "crates/millstream/tests/shuttle"),
];

/// Types that are atomics by whatever path they are named.
const ATOMICS: [&str; 14] = [
    "AtomicBool",
    "AtomicI8",
    "AtomicI16",
    "AtomicI32",
    "AtomicI64",
    "AtomicIsize",
    "AtomicU8",
    "AtomicU16",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "AtomicPtr",
    "AtomicCell",
    "atomic",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = tree.idle_exemptions("unsafe", says_unsafe);
    for file in tree.rust() {
        let source = file.source();
        let tokens = source.tokens();
        if is_in(file, &["src", "tests"]) {
            findings.extend(in_kernel(file, &tokens));
            continue;
        }
        if let Some(line) = line_of(&tokens, |at| tokens[at].text == "unsafe")
            && !(tree.is_exempt("unsafe", &file.path) && may_be_exempt(file, &tokens))
        {
            let instead = "move what is unsafe into a part of millstream-kernel; only a counting \
                           allocator for a test or benchmark may stand under [unsafe] in \
                           crates/xtask/tidy.toml";
            findings.push(file.finding(line, instead));
        }
        for (checker, folder) in CHECKERS {
            if !file.path.starts_with(folder)
                && let Some(line) = line_of(&tokens, |at| names(checker, &tokens, at))
            {
                let instead = format!(
                    "put models into {folder}, and take the rest from `millstream_kernel::sync`"
                );
                findings.push(file.finding(line, instead));
            }
        }
        // Tests count and signal with atomics, but they publish no protocol built on them.
        let is_test = file.is_within("tests") || file.is_within("benches");
        let in_tests = test_modules(&tokens);
        let is_atomic = |at: usize| {
            ATOMICS.contains(&tokens[at].text) && !in_tests.iter().any(|range| range.contains(&at))
        };
        if !is_test && let Some(line) = line_of(&tokens, is_atomic) {
            let instead = "use a part of millstream-kernel instead of an atomic; if none fits, add \
                           the part there, with its loom model";
            findings.push(file.finding(line, instead));
        }
    }
    findings
}

/// Whether the file lies in one of these folders of the kernel.
fn is_in(file: &File, folders: &[&str]) -> bool {
    let path = file.path.strip_prefix(KERNEL).and_then(|path| path.split_once('/'));
    path.is_some_and(|(folder, _)| folders.contains(&folder))
}

fn in_kernel(file: &File, tokens: &[Token<'_>]) -> Option<Finding> {
    if file.path == FACADE || !is_in(file, &["src"]) {
        return None;
    }
    let names_std = |at: usize| {
        ["std", "core"].iter().any(|root| reads(tokens, at, &[root, "::", "sync", "::", "atomic"]))
            || imports_std_atomics(tokens, at)
    };
    let names_checker = |at| CHECKERS.iter().any(|(checker, _)| names(checker, tokens, at));
    let line = line_of(tokens, |at| names_std(at) || names_checker(at))?;
    Some(file.finding(line, "take atomics, cells and threads from `crate::sync`"))
}

/// `use std::{.., sync::{.., atomic::..}}`, whose path is not in one piece.
fn imports_std_atomics(tokens: &[Token<'_>], at: usize) -> bool {
    let starts = reads(tokens, at, &["use", "std"]) || reads(tokens, at, &["use", "core"]);
    starts
        && tokens[at..]
            .iter()
            .take_while(|token| token.text != ";")
            .any(|token| token.text == "atomic")
}

/// Whether something of the crate `name` is named.
fn names(name: &str, tokens: &[Token<'_>], at: usize) -> bool {
    let is_path = reads(tokens, at, &[name, "::"]) && !(at > 0 && tokens[at - 1].text == "::");
    is_path || reads(tokens, at, &["use", name]) || reads(tokens, at, &["extern", "crate", name])
}

fn line_of(tokens: &[Token<'_>], is_it: impl Fn(usize) -> bool) -> Option<usize> {
    (0..tokens.len()).find(|&at| is_it(at)).map(|at| tokens[at].line)
}

/// The tokens of `#[cfg(test)] mod .. { .. }`.
fn test_modules(tokens: &[Token<'_>]) -> Vec<std::ops::Range<usize>> {
    let head = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    (0..tokens.len())
        .filter(|&at| reads(tokens, at, &head) && reads(tokens, at + head.len() + 1, &["{"]))
        .map(|at| at..closing_brace(tokens, at + head.len() + 1))
        .collect()
}

fn says_unsafe(file: &File) -> bool {
    file.source().tokens().iter().any(|token| token.text == "unsafe")
}

fn may_be_exempt(file: &File, tokens: &[Token<'_>]) -> bool {
    let of_crates = ["millstream", "millstream-http", "millstream-pressure"];
    let tests = of_crates.map(|name| format!("crates/{name}/tests/"));
    let is_place = file.path.starts_with("benches/")
        || tests.iter().any(|place| file.path.starts_with(place.as_str()));
    is_place && line_of(tokens, |at| reads(tokens, at, &["#", "[", "global_allocator"])).is_some()
}

#[cfg(test)]
mod samples {
    use super::{ATOMICS, FACADE, KERNEL, check};
    use crate::tree::Tree;

    const UNSAFE: &str = "//! Bad.\nfn a() { unsafe { b() } }\n";
    const ALLOCATOR: &str =
        "//! Counts.\n#[global_allocator]\nstatic A: C = C;\nunsafe impl G for C {}\n";
    const NESTED: &str = "//! Bad.\nuse std::{fmt, sync::{Arc, atomic::AtomicU8}};\n";
    const SHUTTLE: &str = "//! Bad.\nuse shuttle::thread;\n";
    const LOOM: &str = "//! Bad.\nfn a() { loom::model(|| {}) }\n";

    #[track_caller]
    fn assert_findings(path: &str, text: &str, n_expected: usize) {
        let findings = check(&Tree::sample(&[(path, text)]));
        assert_eq!(findings.len(), n_expected, "{path}: {text}\n{findings:?}");
    }

    #[test]
    fn unsafe_code_outside_the_kernel_is_found() {
        assert_findings("crates/millstream/src/flow.rs", UNSAFE, 1);
        assert_findings("crates/millstream/tests/it/flow.rs", UNSAFE, 1);
        assert_findings("crates/millstream-kernel/benches/queue.rs", UNSAFE, 1);
        assert_findings(FACADE, UNSAFE, 0);
        let innocent =
            "//! unsafe\n#![forbid(unsafe_code)]\n// unsafe\nconst A: &str = \"unsafe\";\n";
        assert_findings("crates/millstream/src/flow.rs", innocent, 0);
    }

    #[test]
    fn only_a_counting_allocator_may_be_exempt() {
        let exemptions = "[unsafe]\n'benches/a.rs' = 'counts'\n'benches/b.rs' = 'is fast'\n\
                          'crates/millstream/src/c.rs' = 'counts'";
        let tree = Tree::sample(&[
            ("benches/a.rs", ALLOCATOR),
            ("benches/b.rs", UNSAFE),
            ("crates/millstream/src/c.rs", ALLOCATOR),
            ("crates/millstream/tests/unlisted.rs", ALLOCATOR),
        ])
        .with_exemptions(exemptions);

        let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

        assert_eq!(findings.len(), 3);
        assert!(findings[0].starts_with("benches/b.rs:2: move what is unsafe"));
        assert!(findings[1].starts_with("crates/millstream/src/c.rs:4"));
        assert!(findings[2].starts_with("crates/millstream/tests/unlisted.rs:4"));
    }

    #[test]
    fn atomics_outside_the_kernel_and_the_tests_are_found() {
        for word in ATOMICS {
            let text = format!("//! Bad.\nuse a::b::{{c, {word}}};\n");
            assert_findings("crates/millstream/src/flow.rs", &text, 1);
        }
        assert_findings("examples/access_log.rs", NESTED, 1);
        assert_findings("crates/millstream/tests/it/flow.rs", NESTED, 0);
        assert_findings("crates/millstream/benches/flow.rs", NESTED, 0);
        assert_findings("benches/benches/flow.rs", NESTED, 0);
        let inside =
            "//! Good.\n#[cfg(test)]\nmod tests {\n    use std::sync::atomic::AtomicU8;\n}\n";
        assert_findings("crates/millstream/src/flow.rs", inside, 0);
        assert_findings("crates/millstream/src/flow.rs", &inside.replace("#[cfg(test)]", ""), 1);
    }

    #[test]
    fn loom_outside_the_kernel_is_found() {
        assert_findings("crates/millstream/src/flow.rs", LOOM, 1);
        assert_findings("crates/millstream/tests/it/flow.rs", LOOM, 1);
        assert_findings("crates/millstream/tests/a.rs", "//! Bad.\nuse loom;\n", 1);
        assert_findings("crates/millstream/src/a.rs", "//! Good.\nmod loom; // loom::a\n", 0);
    }

    #[test]
    fn shuttle_outside_its_tests_is_found() {
        assert_findings("crates/millstream/src/flow.rs", SHUTTLE, 1);
        assert_findings("crates/millstream/tests/it/flow.rs", SHUTTLE, 1);
        assert_findings("crates/millstream/tests/shuttle/main.rs", SHUTTLE, 0);
        assert_findings("crates/millstream/tests/shuttle/main.rs", LOOM, 1);
        assert_findings("crates/millstream/src/a.rs", "//! Good.\nmod shuttle;\n", 0);
    }

    #[test]
    fn only_the_facade_names_std_atomics_or_loom() {
        let gate = format!("{KERNEL}src/gate.rs");
        let inline = "//! Bad.\nfn a(_: &core::sync::atomic::AtomicU8) {}\n";
        let through_facade = "//! Good.\nuse crate::sync::{atomic::AtomicU8};\nuse std::fmt;\n";
        for text in [NESTED, LOOM, SHUTTLE, inline] {
            assert_findings(&gate, text, 1);
            assert_findings(FACADE, text, 0);
            assert_findings(&format!("{KERNEL}tests/loom/gate.rs"), text, 0);
        }
        assert_findings(&gate, through_facade, 0);
    }
}
