//! What a build leaves behind is not part of the project.

use crate::tree::{Finding, Tree};

/// The folders into which builds write.
pub(crate) const FOLDERS: [&str; 3] = ["target", "node_modules", "__pycache__"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let outputs = tree.files.iter().filter(|file| {
        let mut folders: Vec<&str> = file.path.split('/').collect();
        // What the last part names is the file.
        let _ = folders.pop();
        folders.iter().any(|folder| FOLDERS.contains(folder))
    });
    let instead = "a build wrote it: `git rm --cached` it, and name its folder in .gitignore";
    outputs.map(|file| file.finding(0, instead)).collect()
}

#[test]
fn a_file_in_a_folder_of_outputs_is_found() {
    let tree = Tree::sample(&[
        ("tck/target/maven-archiver/pom.properties", ""),
        ("web/node_modules/axe/axe.js", ""),
        ("src/target.rs", ""),
        ("docs/target", ""),
    ]);

    assert_eq!(check(&tree).len(), 2);
}
