//! The page of unsafe code lists every use with its argument, out of the sources.
//!
//! It names functions and no lines, so that it changes where unsafe code changes.
//! `cargo xtask book` writes it.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use crate::{
    scan::{Token, docs_above},
    tree::{File, Finding, Tree, root},
};

const PAGE: &str = "docs/unsafe.md";

/// How far above the word its argument may begin: the statement may be broken into lines.
const N_LINES: usize = 12;

/// One use of the word.
struct Use {
    line: usize,
    /// The function around it, or what is implemented.
    place: String,
    argument: String,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, uses) in uses(tree) {
        let silent = uses.iter().filter(|each| each.argument.is_empty());
        findings.extend(silent.map(|each| {
            file.finding(each.line, "say above it, after `// SAFETY:`, why it is sound")
        }));
    }
    if let Some(page) = tree.files.iter().find(|file| file.path == PAGE)
        && page.text != page_of(tree)
    {
        findings.push(page.finding(0, "it is not what the sources say: run `cargo xtask book`"));
    }
    findings
}

/// Writes the page.
pub(crate) fn write(tree: &Tree) -> std::io::Result<()> {
    fs::write(root().join(PAGE), page_of(tree))
}

fn uses(tree: &Tree) -> Vec<(&File, Vec<Use>)> {
    let files = tree.rust().filter(|file| !file.path.contains("/tests/loom"));
    let uses = files.map(|file| (file, uses_in(file)));
    uses.filter(|(_, uses)| !uses.is_empty()).collect()
}

fn uses_in(file: &File) -> Vec<Use> {
    let source = file.source();
    let tokens = source.tokens();
    let words = (0..tokens.len()).filter(|&at| tokens[at].text == "unsafe");
    let uses = words.filter_map(|at| {
        let line = tokens[at].line;
        let next = tokens.get(at + 1)?.text;
        let (place, argument) = match next {
            "fn" | "extern" => (function_after(&tokens, at)?, section_above(&file.text, line)),
            "impl" => (implemented(&tokens, at), argument_above(&file.text, line)),
            "trait" => (implemented(&tokens, at), section_above(&file.text, line)),
            "{" => (function_before(&tokens, at)?, argument_above(&file.text, line)),
            // `forbid(unsafe_code)` is one word; a function pointer's type states no claim.
            _ => return None,
        };
        Some(Use { line, place, argument })
    });
    uses.collect()
}

fn function_after(tokens: &[Token<'_>], at: usize) -> Option<String> {
    let fn_at = (at..tokens.len()).find(|&at| tokens[at].text == "fn")?;
    Some(format!("unsafe fn {}", tokens.get(fn_at + 1)?.text))
}

fn function_before(tokens: &[Token<'_>], at: usize) -> Option<String> {
    let is_name = |at: &usize| {
        tokens[*at].text == "fn"
            && tokens[at + 1].text.starts_with(|char: char| char.is_alphabetic() || char == '_')
    };
    let fn_at = (0..at).rev().find(is_name)?;
    Some(tokens[fn_at + 1].text.to_owned())
}

/// Such as `impl Send for Gate`.
fn implemented(tokens: &[Token<'_>], at: usize) -> String {
    let (mut words, mut depth) = (Vec::new(), 0_usize);
    for token in
        tokens[at..].iter().skip(1).take_while(|token| !matches!(token.text, "{" | "where"))
    {
        match token.text {
            "<" => depth += 1,
            ">" => depth = depth.saturating_sub(1),
            text if depth == 0 => words.push(text),
            _ => {}
        }
    }
    words.join(" ").replace(" :: ", "::")
}

/// The argument of the comment above a line.
fn argument_above(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().take(line).map(str::trim).collect();
    let is_comment = |line: &&str| line.starts_with("//");
    let last = lines.iter().rev().take(N_LINES).position(is_comment);
    let Some(last) = last.map(|above| lines.len() - 1 - above) else { return String::new() };
    let n = lines[..=last].iter().rev().take_while(|line| is_comment(line)).count();
    let comment = lines[last + 1 - n..=last].iter().map(|line| line.trim_start_matches('/').trim());
    let words = comment.collect::<Vec<_>>().join(" ");
    words.split_once("SAFETY:").map_or(String::new(), |(_, argument)| argument.trim().to_owned())
}

/// What stands under `# Safety` in the documentation above a line.
fn section_above(text: &str, line: usize) -> String {
    let docs = docs_above(text, line);
    let lines = docs.lines().map(|line| line.trim_start_matches('/').trim());
    let section = lines.skip_while(|line| *line != "# Safety").skip(1);
    let words: Vec<&str> = section.take_while(|line| !line.starts_with("# ")).collect();
    let words = words.join(" ").trim().to_owned();
    // An implementation of an unsafe function of a trait argues as a block does.
    if words.is_empty() { argument_above(text, line) } else { words }
}

fn page_of(tree: &Tree) -> String {
    let uses = uses(tree);
    let n = uses.iter().map(|(_, uses)| uses.len()).sum::<usize>();
    let mut page = format!(
        "# Unsafe code\n\nEvery use of `unsafe`, with the argument that stands above it.\n\
         `cargo xtask book` writes this page, and a test compares it with the sources.\n\
         There are {n} uses in {} files; invariants are numbered in the header of each file.\n",
        uses.len()
    );
    for (file, uses) in uses {
        let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for each in &uses {
            *places.entry((&each.place, &each.argument)).or_default() += 1;
        }
        let _ok = write!(page, "\n## `{}`\n\n", file.path);
        for ((place, argument), n) in places {
            let times = if n > 1 { format!(" ({n} times)") } else { String::new() };
            let _ok = writeln!(page, "- `{place}`{times}: {argument}");
        }
    }
    page
}

#[test]
fn a_use_without_an_argument_and_a_page_that_says_otherwise_are_found() {
    let code = "//! A.\nfn a() {\n    // First.\n    // SAFETY: Invariant 1\n    // holds.\n    let b =\n        \
                unsafe { c() };\n}\n// SAFETY: It has no state.\nunsafe impl<T: A> Send for B<T> {}\n\
                /// Takes.\n///\n/// # Safety\n///\n/// Not null.\nunsafe fn d() {}\n";
    let path = "crates/a/src/a.rs";
    let good = page_of(&Tree::sample(&[(path, code)]));
    let findings = |code: &str, page: &str| {
        let tree = Tree::sample(&[(path, code), (PAGE, page)]);
        check(&tree).iter().map(ToString::to_string).collect::<Vec<_>>()
    };

    for line in [
        "- `a`: Invariant 1 holds.",
        "- `impl Send for B`: It has no state.",
        "- `unsafe fn d`: Not null.",
    ] {
        assert!(good.lines().any(|each| each == line), "{good}");
    }
    assert_eq!(findings(code, &good), Vec::<String>::new());
    assert!(findings(code, "# Unsafe code\n")[0].contains("run `cargo xtask book`"));
    let silent = code.replace("SAFETY: It", "It");
    assert!(findings(&silent, &good)[0].starts_with("crates/a/src/a.rs:10: say above it"));
}
