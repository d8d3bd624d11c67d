//! The book's page of operators says what their documentation says.
//!
//! The page has places that are filled from the sources, each between two comments:
//! `<!-- operators: FAMILY -->` or `<!-- aliases -->`, and `<!-- end -->`.
//! `cargo xtask book` fills them.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use crate::{
    operators::{FOLDER, call_of, operators_in},
    scan::docs_above,
    tree::{File, Finding, Tree, root},
};

const PAGE: &str = "docs/book/src/operators.md";
const END: &str = "<!-- end -->";

/// What one operator's documentation says.
struct Row {
    name: String,
    call: String,
    sentence: String,
    aliases: Vec<String>,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else { return Vec::new() };
    let families = families(tree);
    let mut findings: Vec<Finding> = families
        .keys()
        .filter(|family| !page.text.contains(&opening(family)))
        .map(|family| page.finding(0, format!("give the family a place: `{}`", opening(family))))
        .collect();
    let filled = fill(&page.text, &families);
    let pairs = page.text.lines().zip(filled.lines()).enumerate();
    let first = pairs.into_iter().find(|(_, (is, should))| is != should);
    if filled != page.text {
        let line = first.map_or(0, |(index, _)| index + 1);
        findings.push(page.finding(line, "it is not what the sources say: run `cargo xtask book`"));
    }
    findings
}

/// Fills the page's places.
pub(crate) fn write(tree: &Tree) -> std::io::Result<()> {
    let page = root().join(PAGE);
    let text = fs::read_to_string(&page)?;
    fs::write(page, fill(&text, &families(tree)))
}

fn opening(family: &str) -> String {
    format!("<!-- operators: {family} -->")
}

fn fill(page: &str, families: &BTreeMap<String, Vec<Row>>) -> String {
    let mut filled = String::new();
    let mut is_inside = false;
    for line in page.lines() {
        if line == END {
            is_inside = false;
        }
        if !is_inside {
            let _ok = writeln!(filled, "{line}");
        }
        let family = families.iter().find(|(family, _)| line == opening(family));
        if let Some((_, rows)) = family {
            is_inside = true;
            filled.push_str("\n| call | does |\n|---|---|\n");
            for Row { call, sentence, .. } in rows {
                let _ok = writeln!(filled, "| `{call}` | {sentence} |");
            }
            filled.push('\n');
        } else if line == "<!-- aliases -->" {
            is_inside = true;
            filled.push_str(&aliases(families));
        }
    }
    filled
}

fn aliases(families: &BTreeMap<String, Vec<Row>>) -> String {
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in families.values().flatten() {
        for alias in &row.aliases {
            known.entry(alias).or_default().push(&row.name);
        }
    }
    let mut table = String::from("\n| there | here |\n|---|---|\n");
    for (alias, names) in known {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ok = writeln!(table, "| `{alias}` | {} |", names.join(", "));
    }
    table.push('\n');
    table
}

fn families(tree: &Tree) -> BTreeMap<String, Vec<Row>> {
    let mut families: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for file in tree.rust() {
        let Some((family, _)) = file.path.strip_prefix(FOLDER).and_then(|p| p.split_once('/'))
        else {
            continue;
        };
        families.entry(family.to_owned()).or_default().extend(rows(file));
    }
    families.retain(|_, rows| !rows.is_empty());
    for rows in families.values_mut() {
        rows.sort_by(|a, b| a.name.cmp(&b.name));
    }
    families
}

fn rows(file: &File) -> Vec<Row> {
    let source = file.source();
    let tokens = source.tokens();
    let operators = operators_in(&tokens).into_iter().map(|operator| {
        let docs = docs_above(&file.text, operator.line);
        let words: Vec<&str> = docs
            .lines()
            .map(|line| line.trim_start_matches('/').trim())
            .take_while(|line| !line.is_empty())
            .collect();
        Row {
            name: operator.name.to_owned(),
            call: call_of(&tokens, &operator),
            sentence: plain(&first_sentence(&words.join(" "))),
            aliases: aliases_above(&file.text, operator.line),
        }
    });
    operators.filter(|row| !row.sentence.is_empty()).collect()
}

/// Up to the first period that ends a sentence.
fn first_sentence(text: &str) -> String {
    text.find(". ").map_or(text, |end| &text[..=end]).to_owned()
}

/// Without the links and the characters that a table cannot hold.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        plain.push_str(&rest[..start]);
        let Some(end) = rest[start..].find(']').map(|end| start + end) else { break };
        plain.push_str(&rest[start + 1..end]);
        rest = &rest[end + 1..];
        if rest.starts_with('(') {
            rest = rest.find(')').map_or(rest, |end| &rest[end + 1..]);
        }
    }
    plain.push_str(rest);
    plain.replace('|', "\\|")
}

fn aliases_above(text: &str, line: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().take(line - 1).collect();
    let above = lines.iter().rev().map(|line| line.trim());
    above
        .take_while(|line| line.starts_with("///") || line.starts_with("#["))
        .filter_map(|line| line.strip_prefix("#[doc(alias = \"")?.strip_suffix("\")]"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_page_that_says_something_else_is_found() {
    let operator = "//! `double`: twice.\n\nimpl<P> Flow<P> {\n    /// Doubles each [item](Item), at \
                    once. Really.\n    #[doc(alias = \"twice\")]\n    pub fn double(self) -> Flow<D> \
                    {}\n}\n";
    let good = "# Page\n<!-- operators: filter -->\n\n| call | does |\n|---|---|\n| `double()` | \
                Doubles each item, at once. |\n\n<!-- end -->\n<!-- aliases -->\n\n| there | here \
                |\n|---|---|\n| `twice` | `double` |\n\n<!-- end -->\n";
    let path = format!("{FOLDER}filter/double.rs");
    let findings = |page: &str| {
        let tree = Tree::sample(&[(&path, operator), (PAGE, page)]);
        check(&tree).iter().map(ToString::to_string).collect::<Vec<_>>()
    };

    assert_eq!(findings(good), Vec::<String>::new());
    assert!(findings(&good.replace("Doubles", "Halves"))[0].contains("operators.md:6: it is not"));
    assert!(findings("# Page\n")[0].ends_with("`<!-- operators: filter -->`"));
}
