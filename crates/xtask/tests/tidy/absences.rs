//! What crates do without: parts of `std` that open something, wait or start something.

use crate::{
    scan::{Token, reads},
    tree::{Finding, Tree},
};

/// A folder, the modules of `std` that its files do not name, and what to do instead.
type Absence = (&'static str, &'static [&'static str], &'static str);

const ABSENCES: [Absence; 5] = [
    (
        "crates/reactive-streams/src/",
        &["fs", "net", "process", "thread", "time"],
        "move it into a crate above: the contract is types",
    ),
    (
        "crates/millstream-kernel/src/",
        &["fs", "net", "process"],
        "move it into a crate above: the kernel opens nothing",
    ),
    (
        "crates/millstream-pressure/src/",
        &["fs", "net", "process", "thread"],
        "a policy opens no socket and no file, and starts no thread: take what is needed from a \
         scheduler, or move it into millstream-spill or a connector",
    ),
    (
        "crates/millstream-sim/src/",
        &["net", "process", "thread"],
        "a simulation runs in virtual time, on one thread",
    ),
    (
        "crates/millstream-spill/src/",
        &["net", "process"],
        "a spill writes files: move what is sent into a connector",
    ),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let absence = ABSENCES.iter().find(|(folder, ..)| file.path.starts_with(folder));
        let Some((_, modules, instead)) = absence else { continue };
        let source = file.source();
        let tokens = source.tokens();
        for at in 0..tokens.len() {
            if let Some(module) = modules.iter().find(|module| names(&tokens, at, module)) {
                let instead = format!("remove `std::{module}`: {instead}");
                findings.push(file.finding(tokens[at].line, instead));
            }
        }
    }
    findings
}

/// `std::module`, also as a part of `use std::{.., module, ..}`.
fn names(tokens: &[Token<'_>], at: usize, module: &str) -> bool {
    if reads(tokens, at, &["std", "::", module]) {
        return true;
    }
    if !reads(tokens, at, &["use", "std", "::", "{"]) {
        return false;
    }
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at + 3) {
        match token.text {
            "{" => depth += 1,
            "}" if depth == 1 => return false,
            "}" => depth -= 1,
            // Not what is taken from another module.
            text if depth == 1 && text == module && tokens[index - 1].text != "::" => return true,
            _ => {}
        }
    }
    false
}

#[test]
fn what_a_crate_does_without_is_found() {
    let findings = |path: &str, text: &str| check(&Tree::sample(&[(path, text)])).len();

    for (folder, modules, _) in ABSENCES {
        let path = format!("{folder}deep/a.rs");
        for module in modules {
            assert_eq!(findings(&path, &format!("//! A.\nuse std::{module}::B;\n")), 1);
            assert_eq!(findings(&path, &format!("//! A.\nuse std::{{fmt, {module}::B}};\n")), 1);
            assert_eq!(findings(&path, &format!("//! A.\nfn a(_: std::{module}::B) {{}}\n")), 1);
            assert_eq!(findings(&path, &format!("//! std::{module}\nuse std::fmt;\n")), 0);
            assert_eq!(findings(&path, &format!("//! A.\nuse std::{{a::{{{module}}}}};\n")), 0);
            let elsewhere = format!("//! A.\nuse std::{module}::B;\n");
            assert_eq!(findings("crates/millstream-nats/src/lib.rs", &elsewhere), 0);
        }
    }
}
