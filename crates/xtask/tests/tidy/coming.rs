//! What the book's tables of other libraries' names lead to exists.
//!
//! Each row has their names, ours, and what differs. A name of ours is an operator's (`map`), a
//! type's (`Outcome`, `Outcome::wait`), or that of something in a module (`hub::replay`).

use crate::{
    operators::{FOLDER, operators_in},
    scan::Token,
    tree::{Finding, Tree},
};

const PAGE: &str = "docs/book/src/coming.md";
const CRATE: &str = "crates/millstream/src/";
/// Where the names of a module are declared.
const MODULES: [(&str, &str); 4] = [
    ("hub", "crates/millstream/src/hub/"),
    ("bridge", "crates/millstream/src/bridge/"),
    ("scheduler", "crates/millstream/src/scheduler/"),
    ("testkit", "crates/millstream-testkit/src/"),
];
const NONE: &str = "none";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else { return Vec::new() };
    let names = Names::of(tree);
    let mut findings = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        let Some(row) = line.strip_prefix("| ") else { continue };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        // The head of a table.
        if cells.get(1) == Some(&"here") {
            continue;
        }
        let &[_, ours, _, ""] = cells.as_slice() else {
            let instead = "give the row three cells: their names, ours, and what differs";
            findings.push(page.finding(index + 1, instead));
            continue;
        };
        let mut quoted = ours.split('`').skip(1).step_by(2).peekable();
        if quoted.peek().is_none() && ours != NONE {
            let instead = format!("name what it is here in backticks, or write `{NONE}`");
            findings.push(page.finding(index + 1, instead));
        }
        let missing = quoted.filter(|name| !names.has(name));
        findings.extend(missing.map(|name| {
            let instead =
                format!("`{name}` does not exist: name an operator, a type or `module::name`");
            page.finding(index + 1, instead)
        }));
    }
    findings
}

/// What can be named: each with the file that declares it.
struct Names {
    operators: Vec<String>,
    /// Path, what kind, name.
    declared: Vec<(String, String, String)>,
}

impl Names {
    fn of(tree: &Tree) -> Self {
        let mut names = Self { operators: Vec::new(), declared: Vec::new() };
        let is_ours = |path: &str| {
            path.starts_with(CRATE) || MODULES.iter().any(|(_, folder)| path.starts_with(folder))
        };
        for file in tree.rust().filter(|file| is_ours(&file.path)) {
            let source = file.source();
            let tokens = source.tokens();
            // Functions elsewhere have a module in their names.
            let is_bare = |is_method| is_method || file.path.starts_with(FOLDER);
            let operators = operators_in(&tokens).into_iter();
            names.operators.extend(
                operators.filter(|each| is_bare(each.is_method)).map(|each| each.name.to_owned()),
            );
            let path = &file.path;
            names
                .declared
                .extend(declared_in(&tokens).map(|(kind, name)| (path.clone(), kind, name)));
        }
        names
    }

    fn has(&self, name: &str) -> bool {
        match name.split_once("::") {
            None => self.operators.iter().any(|each| each == name) || self.has_type(name, CRATE),
            Some((module, rest)) => match MODULES.iter().find(|(known, _)| *known == module) {
                Some((_, folder)) => self
                    .declared
                    .iter()
                    .any(|(path, _, each)| path.starts_with(folder) && each == rest),
                None => self.has_method(module, rest),
            },
        }
    }

    fn has_type(&self, name: &str, folder: &str) -> bool {
        self.declared.iter().any(|(path, kind, each)| {
            path.starts_with(folder) && kind != "fn" && kind != "mod" && each == name
        })
    }

    /// A function in the file that declares the type.
    fn has_method(&self, name: &str, method: &str) -> bool {
        let files = self.declared.iter().filter(|(_, kind, each)| kind != "fn" && each == name);
        let mut files = files.map(|(path, ..)| path);
        files.any(|file| {
            self.declared
                .iter()
                .any(|(path, kind, each)| path == file && kind == "fn" && each == method)
        })
    }
}

/// Functions, types and modules, by kind and name.
fn declared_in<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = (String, String)> + 'a {
    const KINDS: [&str; 5] = ["fn", "struct", "enum", "trait", "mod"];
    let kinds = (1..tokens.len()).filter(|&at| {
        KINDS.contains(&tokens[at - 1].text)
            && (at < 2 || tokens[at - 2].text == "pub" || tokens[at - 1].text == "fn")
    });
    kinds.map(|at| (tokens[at - 1].text.to_owned(), tokens[at].text.to_owned()))
}

#[test]
fn a_name_that_does_not_exist_is_found() {
    let operator = "//! `double`: twice.\nimpl<P> Flow<P> {\n    pub fn double(self) -> Flow<D> {}\n}\n\
                    pub struct Run;\nimpl Run {\n    pub fn wait(self) {}\n}\n";
    let hub = "//! A hub.\npub fn hub() {}\nstruct Hidden;\n";
    let page = |ours: &str| {
        format!("| there | here | differs |\n|---|---|---|\n| `twice` | {ours} | At once. |\n")
    };
    let findings = |page: &str| {
        let files = [
            (format!("{FOLDER}filter/double.rs"), operator),
            (format!("{CRATE}hub/hub.rs"), hub),
            (PAGE.to_owned(), page),
        ];
        let sample: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        check(&Tree::sample(&sample)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };

    assert_eq!(findings(&page("`double`, `Run`, `Run::wait`, `hub::hub`")), Vec::<String>::new());
    assert_eq!(findings(&page("none")), Vec::<String>::new());
    for missing in ["triple", "hub", "hub::Hidden", "hub::double", "Run::stop", "other::hub"] {
        let found = findings(&page(&format!("`double`, `{missing}`")));
        assert_eq!(found.len(), 1, "{missing}: {found:?}");
        assert!(
            found[0].contains(&format!("coming.md:3: `{missing}` does not exist")),
            "{found:?}"
        );
    }
    assert!(findings(&page("double"))[0].contains("in backticks"));
    assert!(findings(&page("`double` |"))[0].contains("three cells"));
}
