//! Every source, and every operator that returns a flow, is judged by the TCK, and every operator
//! also by what it does with its source.

use std::collections::HashSet;

use crate::{
    operators::{Operator, operators_in},
    tree::{Finding, Tree},
};

const CRATE: &str = "crates/millstream/src/";
/// The suite, or the folder of its parts.
const SUITE: &str = "crates/millstream/tests/tck";
/// What operators do with their sources.
const SUBSCRIBERS: &str = "crates/millstream/tests/tck/subscribers.rs";

/// Sources and operators that are not judged as publishers.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let is_suite = |path: &str| {
        let rest = path.strip_prefix(SUITE).filter(|_| path != SUBSCRIBERS);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    // The methods that run a flow return no publisher.
    unjudged(tree, "tck", SUITE, is_suite, |operator| operator.returns_flow)
}

/// Operators that are not judged by what they do with their sources.
pub(crate) fn check_subscribers(tree: &Tree) -> Vec<Finding> {
    let is_operator = |operator: Operator<'_>| operator.returns_flow && operator.is_method;
    unjudged(tree, "tck_subscribers", SUBSCRIBERS, |path| path == SUBSCRIBERS, is_operator)
}

fn unjudged(
    tree: &Tree,
    check: &str,
    suite: &str,
    is_suite: impl Fn(&str) -> bool,
    is_judged: impl Fn(Operator<'_>) -> bool,
) -> Vec<Finding> {
    let judged = calls_in(tree, is_suite);
    let mut unjudged = HashSet::new();
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with(CRATE)) {
        let source = file.source();
        for operator in operators_in(&source.tokens()) {
            if !is_judged(operator) || judged.contains(&call_of(operator)) {
                continue;
            }
            unjudged.insert(operator.name.to_owned());
            if !tree.is_exempt(check, operator.name) {
                let instead = format!(
                    "give `{}` a line in {suite}, or a reason under [{check}] in \
                     crates/xtask/tidy.toml",
                    operator.name
                );
                findings.push(file.finding(operator.line, instead));
            }
        }
    }
    findings.extend(tree.idle_names(check, |name| unjudged.contains(name)));
    findings
}

/// A name that is called, and whether it is a method's.
type Call = (String, bool);

fn call_of(operator: Operator<'_>) -> Call {
    (operator.name.to_owned(), operator.is_method)
}

/// What the suite calls, or name as a function: `name(`, `name::<`, `.name(`, `.name::<`, and
/// `(name)`.
fn calls_in(tree: &Tree, is_suite: impl Fn(&str) -> bool) -> HashSet<Call> {
    let mut calls = HashSet::new();
    for file in tree.rust().filter(|file| is_suite(&file.path)) {
        let source = file.source();
        let tokens = source.tokens();
        for at in 1..tokens.len() {
            let before = tokens[at - 1].text;
            let after = tokens.get(at + 1).map_or("", |token| token.text);
            let is_called = matches!(after, "(" | "::") || (before == "(" && after == ")");
            // A method's own definition, and the path before a name, are no calls.
            if is_called && before != "fn" {
                calls.insert((tokens[at].text.to_owned(), before == "."));
            }
        }
    }
    calls
}

#[test]
fn an_operator_that_is_not_judged_is_found() {
    let method = |name: &str, output: &str| {
        format!(
            "impl<P: Publisher> Flow<P> {{\n    pub fn {name}<F: Fn() -> Flow<P>>(self, f: F) -> \
             {output} {{\n    }}\n}}\n"
        )
    };
    let files = [
        ("crates/millstream/src/ops/a.rs", method("judged", "Flow<A<P>>")),
        ("crates/millstream/src/ops/b.rs", method("missed", "Flow<B<P>>")),
        ("crates/millstream/src/ops/c.rs", method("run", "Outcome<P::Item>")),
        ("crates/millstream/src/ops/d.rs", "pub fn source() -> Flow<D> {\n}\n".to_owned()),
        ("crates/millstream/src/ops/e.rs", "pub fn spring<T>() -> Flow<E> {\n}\n".to_owned()),
        ("crates/millstream/src/flow.rs", method("boxed", "Flow<Box<P>>")),
        ("crates/millstream/src/inner.rs", "fn hidden() -> Flow<D> {\n}\n".to_owned()),
        (
            "crates/millstream/tests/tck.rs",
            "fn missed() {}\ntests!(missed, |n| source(0..n).judged(n), spring);\n".to_owned(),
        ),
        ("crates/millstream/tests/tck/more.rs", "tests!(s, |n| spring::<u8>(n));".to_owned()),
        ("crates/millstream/tests/other.rs", "source().missed();".to_owned()),
        (SUBSCRIBERS, "relay!(missed, |flow, _| flow.missed());".to_owned()),
    ];
    let sample: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let tree = Tree::sample(&sample).with_exemptions(
        "[tck]\n'boxed' = 'a reason'\n'judged' = 'why'\n'gone' = 'why'\n\
             [tck_subscribers]\n'boxed' = 'why'",
    );

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].starts_with("crates/millstream/src/ops/b.rs:2: give `missed` a line"));
    assert!(findings[1].contains("the exemption of `gone`"), "{findings:?}");
    assert!(findings[2].contains("the exemption of `judged`"), "{findings:?}");
    let findings: Vec<String> = check_subscribers(&tree).iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with("crates/millstream/src/ops/a.rs:2: give `judged` a line"));
}
