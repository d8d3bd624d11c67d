//! Every operator says what it does with demand, how it ends, and shows it.

use std::{collections::HashSet, ops::Range};

use crate::{
    scan::{Token, closing_brace, docs_above, reads},
    tree::{File, Finding, Tree},
};

pub(crate) const FOLDER: &str = "crates/millstream/src/ops/";
const SECTIONS: [&str; 3] = ["# Demand", "# Termination", "# Examples"];

/// The traits by which other crates add methods to `Flow`.
const EXTENSION: &str = "FlowExt";

/// Crates with operators: those with `Flow` or a [`FlowExt`](EXTENSION).
const CRATES: &str = "crates/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut needed = HashSet::new();
    for file in tree.rust().filter(|file| is_source(&file.path)) {
        let source = file.source();
        let operators = operators_in(&source.tokens());
        let is_listed = file.path.starts_with(FOLDER)
            && !file.path.ends_with("/mod.rs")
            && !file.text.starts_with("//! Shared:");
        if is_listed && operators.is_empty() {
            let instead = "put the operator's method into an `impl` block on `Flow` here, a source's \
                           function that returns a `Flow`, or start a part of several operators \
                           with `//! Shared:`";
            findings.push(file.finding(0, instead));
        }
        for operator in operators {
            let docs = docs_of(tree, file, operator.line);
            let has = |section: &str| {
                docs.lines().any(|line| line.trim_start_matches('/').trim() == section)
            };
            let missing: Vec<&str> = SECTIONS.into_iter().filter(|section| !has(section)).collect();
            if missing.is_empty() {
                continue;
            }
            needed.insert(operator.name.to_owned());
            if !tree.is_exempt("sections", operator.name) {
                let (name, sections) = (operator.name, missing.join("`, `"));
                let instead =
                    format!("give the documentation of `{name}` the sections `{sections}`");
                findings.push(file.finding(operator.line, instead));
            }
        }
    }
    findings.extend(tree.idle_names("sections", |name| needed.contains(name)));
    findings
}

/// The documentation above a line, with that of a file which it includes.
fn docs_of(tree: &Tree, file: &File, line: usize) -> String {
    let mut docs = docs_above(&file.text, line);
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let above: Vec<&str> = file.text.lines().take(line - 1).collect();
    let attributes = above.iter().rev().map(|line| line.trim());
    for attribute in attributes.take_while(|line| line.starts_with(['#', '/'])) {
        let name = attribute.strip_prefix("#[doc = include_str!(\"");
        let Some(name) = name.and_then(|rest| rest.strip_suffix("\")]")) else { continue };
        let path = format!("{folder}/{name}");
        if let Some(page) = tree.files.iter().find(|page| page.path == path) {
            docs.push('\n');
            docs.push_str(&page.text);
        }
    }
    docs
}

/// Whether the file is a part of a library, and not a test of one.
fn is_source(path: &str) -> bool {
    path.starts_with(CRATES) && path.split('/').nth(2) == Some("src")
}

/// A public method of `Flow`, or a free function that returns a `Flow`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operator<'a> {
    pub(crate) name: &'a str,
    /// That of `fn`.
    pub(crate) line: usize,
    pub(crate) is_method: bool,
    pub(crate) returns_flow: bool,
}

/// How an operator is called: its name and arguments, with the types that say more than a name.
pub(crate) fn call_of(tokens: &[Token<'_>], operator: &Operator<'_>) -> String {
    let name = operator.name;
    let is_it = |at: &usize| tokens[*at].line == operator.line && reads(tokens, *at, &["fn", name]);
    let Some(start) = (0..tokens.len()).find(is_it) else { return name.to_owned() };
    let (mut depth, mut angles) = (0_usize, 0_usize);
    let mut arguments: Vec<Vec<&str>> = vec![Vec::new()];
    let mut generics = Vec::new();
    for token in &tokens[start + 2..] {
        if depth == 0 {
            generics.push(token.text);
        }
        match token.text {
            "<" => angles += 1,
            ">" => angles = angles.saturating_sub(1),
            "(" if angles == 0 => depth += 1,
            ")" if angles == 0 && depth == 1 => break,
            ")" if angles == 0 => depth -= 1,
            _ => {}
        }
        match (token.text, depth) {
            // The parenthesis that opens the list.
            ("(", 1) => {}
            (",", 1) if angles == 0 => arguments.push(Vec::new()),
            (text, 1..) => arguments.last_mut().into_iter().for_each(|words| words.push(text)),
            _ => {}
        }
    }
    let shown = arguments.iter().filter_map(|words| {
        let at = words.iter().position(|word| *word == ":")?;
        let name = *words[..at].last()?;
        // A parameter of the function or the flow, or a type in pieces, says less than the name.
        match &words[at + 1..] {
            [kind] if kind.len() > 2 && !generics.contains(kind) => Some(format!("{name}: {kind}")),
            _ => Some(name.to_owned()),
        }
    });
    format!("{name}({})", shown.collect::<Vec<_>>().join(", "))
}

/// The operators of a file: public methods in inherent `impl` blocks on `Flow`, and free functions
/// that return a `Flow`.
pub(crate) fn operators_in<'a>(tokens: &[Token<'a>]) -> Vec<Operator<'a>> {
    let mut operators = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // Where the braces of this item open, or of the next if it has none.
        let open = (at..tokens.len()).find(|&index| tokens[index].text == "{");
        let open = open.unwrap_or(tokens.len());
        let is_start = at == 0 || matches!(tokens[at - 1].text, "}" | ";" | "]");
        match tokens[at].text {
            "{" => at = closing_brace(tokens, at),
            "impl" if is_start && is_on_flow(&tokens[at + 1..open]) => {
                let close = closing_brace(tokens, open);
                operators.extend(methods_in(tokens, open + 1..close));
                at = close;
            }
            "pub" if is_start && reads(tokens, at + 1, &["trait", EXTENSION]) => {
                let close = closing_brace(tokens, open);
                operators.extend(declared_in(tokens, open + 1..close));
                at = close;
            }
            "pub" if is_start => {
                let source = function_at(tokens, at, false);
                operators.extend(source.filter(|source| source.returns_flow));
            }
            _ => {}
        }
        at += 1;
    }
    operators
}

fn methods_in<'a>(tokens: &[Token<'a>], block: Range<usize>) -> Vec<Operator<'a>> {
    let mut methods = Vec::new();
    let mut at = block.start;
    while at < block.end {
        match tokens[at].text {
            "{" => at = closing_brace(tokens, at),
            "pub" => methods.extend(function_at(tokens, at, true)),
            _ => {}
        }
        at += 1;
    }
    methods
}

/// The methods of a trait, which are public without saying so.
fn declared_in<'a>(tokens: &[Token<'a>], block: Range<usize>) -> Vec<Operator<'a>> {
    let mut methods = Vec::new();
    let mut at = block.start;
    while at < block.end {
        match tokens[at].text {
            "{" => at = closing_brace(tokens, at),
            // One before it, where `pub` would stand.
            "fn" => methods.extend(function_at(tokens, at - 1, true)),
            _ => {}
        }
        at += 1;
    }
    methods
}

/// Whether the tokens between `impl` and its brace name `Flow` itself and not a trait.
fn is_on_flow(header: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    let mut name = "";
    for token in header {
        match token.text {
            "<" if depth == 0 && !name.is_empty() => break,
            "<" => depth += 1,
            ">" => depth = depth.saturating_sub(1),
            "for" | "where" if depth == 0 => break,
            text if depth == 0 => name = text,
            _ => {}
        }
    }
    name == "Flow"
}

fn function_at<'a>(tokens: &[Token<'a>], start: usize, is_method: bool) -> Option<Operator<'a>> {
    let n_qualifiers = tokens[start + 1..]
        .iter()
        .take_while(|token| matches!(token.text, "async" | "const"))
        .count();
    let fn_at = start + 1 + n_qualifiers;
    let name = tokens.get(fn_at + 1)?;
    let operator = Operator {
        name: name.text,
        line: tokens[fn_at].line,
        is_method,
        returns_flow: returns_flow(&tokens[fn_at..]),
    };
    reads(tokens, fn_at, &["fn"]).then_some(operator)
}

/// Whether the function that begins here returns a `Flow`, and not only a closure of it.
fn returns_flow(function: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for (index, token) in function.iter().enumerate() {
        match token.text {
            "<" | "(" | "[" => depth += 1,
            ">" | ")" | "]" => depth = depth.saturating_sub(1),
            "->" if depth == 0 => return reads(function, index + 1, &["Flow"]),
            "{" | "where" => return false,
            _ => {}
        }
    }
    false
}

#[test]
fn an_operator_without_its_sections_is_found() {
    let method = "    pub fn double(self) -> Flow<Double<P>> {\n        Flow { }\n    }\n}\n";
    let sections = "    /// Doubles.\n    ///\n    /// # Demand\n    ///\n    /// # Termination\n";
    let head = "//! `double`: twice.\n\nuse crate::Flow;\n\nimpl<P: Fn() -> u8> Flow<P> {\n";
    let good = format!("{head}{sections}    /// # Examples\n    #[must_use]\n{method}");
    let no_example = format!("{head}{sections}{method}");
    let no_docs = format!("{head}{method}");
    let not_on_flow = good.replace("Flow<P> {", "Publisher for Flow<P> {");
    let is_private = good.replace("pub fn", "pub(crate) fn");
    let source = format!(
        "//! `twins`: two.\n\n{sections}    /// # Examples\npub fn twins() -> Flow<Twins> {{\n}}\n"
    );
    let no_source = source.replace("Flow<Twins>", "Twins");
    let shared = "//! Shared: a part of two operators.\nfn part() {}\n";
    let path = |name: &str| format!("{FOLDER}filter/{name}.rs");
    let second = good.replace("    }\n}\n", &format!("    }}\n\n{method}"));
    let extension = "//! A crate.\n\npub trait FlowExt: Sized {\n    /// Waits.\n    fn wait(self) \
                     -> Flow<Wait<Self>> {\n        Flow { }\n    }\n}\n";
    let included = extension
        .replace("/// Waits.", "#[doc = include_str!(\"wait/operator.md\")]")
        .replace("fn wait", "fn wait_on");
    let page = "Waits.\n\n# Demand\n\n# Termination\n\n# Examples\n";
    let tree = Tree::sample(&[
        ("crates/millstream-spill/src/lib.rs", &included),
        ("crates/millstream-spill/src/wait/operator.md", page),
        (&path("good"), &good),
        (&path("mod"), "//! A list.\n"),
        (&path("shared"), shared),
        (&path("source"), &source),
        (&path("a_no_example"), &no_example),
        (&path("b_no_docs"), &no_docs),
        (&path("c_not_on_flow"), &not_on_flow),
        (&path("d_private"), &is_private),
        (&path("e_no_source"), &no_source),
        (&path("f_second"), &second),
        ("crates/millstream/src/hub/a.rs", &no_docs),
        ("crates/millstream-pressure/src/lib.rs", extension),
        ("crates/millstream-pressure/tests/it.rs", extension),
        ("crates/millstream/src/lib.rs", "//! A crate.\n"),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 8, "{findings:?}");
    assert!(findings[0].ends_with("of `double` the sections `# Examples`"));
    assert!(findings[1].ends_with("the sections `# Demand`, `# Termination`, `# Examples`"));
    assert!(findings[2].contains("c_not_on_flow.rs: put the operator's method"));
    assert!(findings[3].contains("d_private.rs: put the operator's method"));
    assert!(findings[4].contains("e_no_source.rs: put the operator's method"));
    assert!(findings[5].contains("f_second.rs:") && findings[5].contains("of `double`"));
    assert!(findings[6].starts_with("crates/millstream/src/hub/a.rs:"));
    assert!(
        findings[7].contains("millstream-pressure/src/lib.rs:5: give the documentation of `wait`")
    );
}

#[test]
fn a_call_shows_arguments_and_plain_types() {
    let code = "impl<P> Flow<P> {\n    pub fn a<Fut: Fn(u8) -> u8>(mut self, n: usize, time: Duration, f: Fut, p: \
                Vec<(u8, u8)>) -> Flow<A> {}\n    pub fn b(self) -> Flow<A> {}\n}\n";
    let source = crate::scan::Source::new(code);
    let tokens = source.tokens();
    let calls: Vec<String> =
        operators_in(&tokens).iter().map(|operator| call_of(&tokens, operator)).collect();

    assert_eq!(calls, ["a(n: usize, time: Duration, f, p)", "b()"]);
}
