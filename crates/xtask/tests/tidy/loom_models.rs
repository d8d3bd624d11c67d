//! Every model under loom or shuttle names the mutation it kills.

use crate::{
    scan::{docs_above, reads},
    tree::{Finding, Tree},
};

const FOLDERS: [&str; 2] =
    ["crates/millstream-kernel/tests/loom/", "crates/millstream/tests/shuttle/"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_model = |path: &str| FOLDERS.iter().any(|folder| path.starts_with(folder));
    for file in tree.rust().filter(|file| is_model(&file.path)) {
        let source = file.source();
        let tokens = source.tokens();
        for start in 0..tokens.len() {
            if !reads(&tokens, start, &["#", "[", "test", "]"]) {
                continue;
            }
            let Some(fn_at) = (start..tokens.len()).find(|&at| tokens[at].text == "fn") else {
                continue;
            };
            // Documentation may stand on either side of the attribute.
            if !docs_above(&file.text, tokens[fn_at].line).contains("Kills:") {
                let name = tokens.get(fn_at + 1).map_or("?", |token| token.text);
                let instead = format!(
                    "break the code so that `{name}` fails, and name that mutation in its docs \
                     as `Kills: ...`"
                );
                findings.push(file.finding(tokens[fn_at].line, instead));
            }
        }
    }
    findings
}

#[test]
fn a_model_without_a_mutation_is_found() {
    let text = concat!(
        "//! Models.\n\n",
        "/// Kills: a relaxed store.\n#[test]\nfn good() {\n}\n\n",
        "#[test]\n#[should_panic(\n    expected = \"planted\",\n)]\nfn bad() {}\n\n",
        "/// It holds.\n#[test]\nfn also_bad() {}\n",
    );
    for folder in FOLDERS {
        let path = format!("{folder}gate.rs");
        let tree = Tree::sample(&[(path.as_str(), text), ("crates/other/tests/loom/a.rs", text)]);

        let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

        assert_eq!(findings.len(), 2);
        assert!(findings[0].contains("`bad`"));
        assert!(findings[1].contains("`also_bad`"));
    }
}
