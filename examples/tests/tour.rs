//! The tour is listed where people look. Each example has a test that runs it.

use std::{fs, path::Path};

#[test]
fn the_tour_is_listed_where_people_look() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".rs").filter(|name| *name != "lib") else { continue };
        assert!(readme.contains(name) && manifest.contains(&format!("\"{name}\"")), "{name}");
        let text = fs::read_to_string(folder.join(&file)).unwrap();
        assert!(text.contains("fn it_runs()"), "{name} is not run");
    }
}
