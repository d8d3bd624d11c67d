//! Runs each example of the tour, as a reader does.

use std::{env, fs, path::Path, process::Command};

/// What each of them says, in part.
const SAID: &[(&str, &str)] = &[
    ("01-hello-flow", "add up to 220"),
    ("02-demand", "6 numbers were made"),
    ("03-own-publisher", "a flow like any other: 18"),
    ("05-threads", "200 items from one thread to another"),
    ("06-async-calls", "100 calls, 8 at a time"),
    ("07-windows-and-groups", "/a: 3 calls, 55 ms"),
    ("08-sharing", "100 were made"),
    ("09-errors-and-retries", "after 3 attempts"),
    ("10-policies", "10 were made"),
    ("11-spill", "went through a memory of 64"),
    ("12-nats", ""),
    ("14-rsocket", "client: has 3 orders"),
    ("16-simulation", "a short queue"),
    ("17-virtual-time", "60 minutes have passed"),
];

#[test]
fn every_example_of_the_tour_runs() {
    // Cargo has built them for this test.
    let folder = env::current_exe().unwrap().parent().unwrap().with_file_name("examples");
    for (name, said) in SAID {
        let output = Command::new(folder.join(name)).output().unwrap_or_else(|error| {
            panic!("{name}: {error}; it is built by a `cargo test` of this package")
        });
        let text = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains(said), "{name}: {text}\n{wrong}");
    }
}

#[test]
fn the_tour_is_listed_where_people_look() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".rs").filter(|name| *name != "lib") else { continue };
        assert!(readme.contains(name) && manifest.contains(&format!("\"{name}\"")), "{name}");
        assert!(SAID.iter().any(|(run, _)| *run == name), "{name} is not run");
    }
}
