//! Every publisher of ours states what it does about demand.

use crate::{
    scan::{Token, reads},
    tree::{Finding, Tree},
};

/// What may stand before the name in `backpressure!`.
const FORMS: [&str; 4] = ["source", "two", "list", "inner"];

const CRATE: &str = "crates/millstream/src/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stated: Vec<String> =
        ours(tree).flat_map(|file| stated_in(&file.source().tokens())).collect();
    for file in ours(tree) {
        let source = file.source();
        let tokens = source.tokens();
        for (name, line) in implementors(&tokens, "Publisher") {
            if is_public(&tokens, &name) && !stated.contains(&name) {
                let instead = format!(
                    "state what `{name}` does about demand by `backpressure!`, or by implementing \
                     `Backpressure`, and `Bounded` unless it holds any number of items"
                );
                findings.push(file.finding(line, instead));
            }
        }
    }
    findings
}

fn ours(tree: &Tree) -> impl Iterator<Item = &crate::tree::File> {
    tree.rust().filter(|file| file.path.starts_with(CRATE))
}

/// The types for which the file implements a trait, and where.
fn implementors(tokens: &[Token<'_>], name: &str) -> Vec<(String, usize)> {
    let is_impl = |at: usize| reads(tokens, at, &[name, "for"]);
    let all = (0..tokens.len().saturating_sub(2)).filter(|&at| is_impl(at));
    all.map(|at| (tokens[at + 2].text.to_owned(), tokens[at].line)).collect()
}

/// The types that the file states something about.
fn stated_in(tokens: &[Token<'_>]) -> Vec<String> {
    let mut names: Vec<String> =
        implementors(tokens, "Backpressure").into_iter().map(|(name, _)| name).collect();
    for at in 0..tokens.len() {
        if reads(tokens, at, &["backpressure", "!", "("]) {
            let rest = tokens[at + 3..].iter().map(|token| token.text);
            let name = rest.skip_while(|text| FORMS.contains(text)).take(1);
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

fn is_public(tokens: &[Token<'_>], name: &str) -> bool {
    (0..tokens.len()).any(|at| reads(tokens, at, &["pub", "struct", name]))
}

#[test]
fn a_publisher_that_states_nothing_is_found() {
    let publisher = |name: &str, visible: &str, stated: &str| {
        format!("{visible}struct {name}<P>(P);\nimpl<P> Publisher for {name}<P> {{\n}}\n{stated}")
    };
    let path = |name: &str| format!("{CRATE}ops/{name}.rs");
    let files = [
        (path("a"), publisher("Silent", "pub ", "")),
        (path("b"), publisher("Hidden", "", "")),
        (path("c"), publisher("Source", "pub ", "backpressure!(source Source<P>);\n")),
        (path("d"), publisher("Queue", "pub ", "backpressure!(Queue<P>, Queue, |this| 1);\n")),
        (path("e"), publisher("Hand", "pub ", "impl<P> Backpressure for Hand<P> {}\n")),
        (path("f"), publisher("Other", "pub ", "// backpressure!(source Other<P>);\n")),
        ("crates/other/src/lib.rs".to_owned(), publisher("Foreign", "pub ", "")),
    ];
    let sample: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();

    let findings: Vec<String> =
        check(&Tree::sample(&sample)).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].starts_with("crates/millstream/src/ops/a.rs:2: state what `Silent` does"));
    assert!(findings[1].contains("`Other`"), "{findings:?}");
}
