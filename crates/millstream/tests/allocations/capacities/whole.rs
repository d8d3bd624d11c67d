//! The table is whole: each public function of the crate with a number among its parameters is in
//! it.

use std::{collections::BTreeSet, fs, path::Path};

use super::ENTRIES;

/// What takes a number, and stands in no table.
const OTHERS: &[(&str, &str)] = &[
    ("ops/peek/registry.rs", "the user says how much memory recording takes"),
    ("parts/inlet.rs", "`feed`, `pause`, `release` and `request` count what is there"),
    ("parts/shed.rs", "`on_backpressure_buffer` is its user"),
    ("parts/terminal.rs", "demand"),
    ("parts/timed_groups.rs", "`buffer_timeout` and `batch_sized` are its users"),
    ("scheduler/scheduled.rs", "a key"),
];

#[test]
fn the_table_has_every_function_that_takes_a_number() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
            if !OTHERS.iter().any(|(other, _)| *other == file) {
                found.extend(functions_with_numbers(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let is_listed = |name: &String| ENTRIES.iter().any(|(listed, ..)| listed == name);
    let missing: Vec<_> = found.iter().filter(|name| !is_listed(name)).collect();

    assert!(found.len() > 50, "{found:?}");
    assert!(missing.is_empty(), "{missing:?}");
}

fn functions_with_numbers(code: &str) -> Vec<String> {
    code.split("\n")
        .enumerate()
        .filter_map(|(index, line)| {
            let line = line.trim_start().strip_prefix("pub ")?;
            let name = line.trim_start_matches("const ").strip_prefix("fn ")?;
            let name = name.split(['(', '<']).next()?;
            let head: Vec<_> = code.split('\n').skip(index).take(12).collect();
            let head = head.join("\n");
            let parameters = head.split(") ->").next()?.split(" {\n").next()?;
            let has_number = ["usize", "u64", "u32"]
                .iter()
                .any(|kind| parameters.contains(&format!(": {kind}")));
            has_number.then(|| name.to_owned())
        })
        .collect()
}
