//! The book's page of all keys is made of the schema, and its examples are files that are read.

use std::{fmt::Write as _, fs, path::PathBuf};

use millstream_pipeline::Spec;
use serde_json::{Map, Value};

const HEAD: &str = "\
# All keys of a pipeline's file

Made of the schema that `millstream schema` writes, by `cargo xtask book`.
[Pipelines from a file](pipeline.md) says what they are for.
A key without a default has to be given; `..` stands for a table of its own below.
";

fn page(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src").join(name)
}

/// The page, of the schema.
fn made() -> String {
    let schema = schemars::schema_for!(Spec).to_value();
    let mut text = HEAD.to_owned();
    section("The file", &schema, &mut text);
    for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
        section(name, part, &mut text);
    }
    text
}

fn section(name: &str, schema: &Value, out: &mut String) {
    write!(out, "\n## {name}\n\n{}\n", sentence(schema)).unwrap();
    if let Some(fields) = schema["properties"].as_object() {
        keys(fields, schema, out);
    }
    let forms = ["oneOf", "anyOf"].iter().find_map(|form| schema[*form].as_array());
    let Some(forms) = forms else {
        if schema["properties"].is_null() {
            write!(out, "\n{}\n", kind(schema)).unwrap();
        }
        return;
    };
    out.push_str("\n| form | is | |\n|---|---|---|\n");
    for form in forms {
        let about = sentence(form);
        let fields = form["properties"].as_object().into_iter().flatten();
        let mut any = false;
        for (key, value) in fields {
            writeln!(out, "| `{key}` | {} | {about} |", kind(value)).unwrap();
            any = true;
        }
        let names = form["enum"].as_array().into_iter().flatten().chain(form.get("const"));
        for name in names {
            writeln!(out, "| `{}` | | {about} |", name.as_str().unwrap_or_default()).unwrap();
            any = true;
        }
        if !any {
            writeln!(out, "| {} | | {about} |", kind(form)).unwrap();
        }
    }
}

fn keys(fields: &Map<String, Value>, schema: &Value, out: &mut String) {
    if fields.is_empty() {
        return;
    }
    out.push_str("\n| key | is | |\n|---|---|---|\n");
    let required = schema["required"].as_array();
    for (key, value) in fields {
        let has_to = required.is_some_and(|names| names.iter().any(|name| name == key));
        let about = sentence(value);
        let about = if has_to { format!("**has to be given.** {about}") } else { about };
        writeln!(out, "| `{key}` | {} | {} |", kind(value), about.trim()).unwrap();
    }
}

/// What a value is: the name of a part, with a link, or a type.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let any = ["anyOf", "oneOf", "allOf"].iter().find_map(|form| schema[*form].as_array());
    if let Some(forms) = any {
        let forms = forms.iter().filter(|form| form["type"] != "null");
        return forms.map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) if name == "object" && schema["additionalProperties"].is_object() => {
            format!("names with {}", kind(&schema["additionalProperties"]))
        }
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

/// The description, in one line.
fn sentence(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_page_of_all_keys_is_that_of_the_schema() {
    let there = fs::read_to_string(page("keys.md")).unwrap_or_default();
    assert!(there == made(), "docs/book/src/keys.md is old: run `cargo xtask book`");
}

#[test]
#[ignore = "it writes the page: run `cargo xtask book`"]
fn fill_the_page_of_all_keys() {
    fs::write(page("keys.md"), made()).unwrap();
}

#[test]
fn the_pipelines_of_the_book_are_read() {
    let folder = page("");
    let mut n_read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for block in text.split("\n```yaml\n").skip(1) {
            let yaml = block.split("\n```").next().unwrap_or_default();
            if !yaml.lines().any(|line| line.starts_with("source:")) {
                continue;
            }
            let variables = [("NATS_PASSWORD".to_owned(), "x".to_owned())];
            let read = Spec::with_variables(yaml, variables);
            read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            n_read += 1;
        }
    }
    assert!(n_read >= 2, "{n_read}");
}
