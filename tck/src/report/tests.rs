//! Every form of a report has everything in it.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::{
    check::{Check, Suite},
    checker::Violation,
    trace,
    verdict::{Outcome, Verdict},
};

static ZERO: Check =
    Check { name: "rule_3_9_request_zero", rule: "3.9", suite: Suite::Publisher, originals: &[] };
static ITEMS: Check = Check {
    name: "rule_1_1_items_never_exceed_demand",
    rule: "1.1",
    suite: Suite::Publisher,
    originals: &[],
};

fn outcome(check: &'static Check, verdict: Verdict, violations: Vec<Violation>) -> Document {
    let trace = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 1 > on_next #3\n1 1 < on_next\n";
    let outcome = Outcome {
        subject: "mine <&>".to_owned(),
        check,
        verdict,
        violations,
        trace: trace::parse(trace).unwrap(),
        seed: Some(7),
        runs: 1,
        took: Duration::from_micros(1_500),
    };
    let mut document = Document::of(&outcome, check.name);
    document.origin = "package/tck".to_owned();
    document
}

fn report() -> Report {
    let broken = vec![
        Violation::new("1.1", 2, "item 1 came, but 0 are requested"),
        Violation::new("3.13", 4, "the subscriber was kept"),
    ];
    let reason = Verdict::NotApplicable("too short | or so".to_owned());
    Report::new(vec![outcome(&ZERO, reason, Vec::new()), outcome(&ITEMS, Verdict::Failed, broken)])
}

#[test]
fn documents_are_gathered_as_they_were_written() {
    let directory = tempfile::tempdir().unwrap();
    for document in report().documents() {
        document.write_into(directory.path()).unwrap();
    }

    let gathered = Report::gather(directory.path()).unwrap();

    assert_eq!(gathered.documents(), report().documents());
    let rules: Vec<_> = gathered.documents().iter().map(|d| d.rule.as_str()).collect();
    assert_eq!(rules, ["1.1", "3.9"]);
}

#[test]
fn what_is_no_document_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.json");
    let refused = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let error = Report::gather(directory.path()).unwrap_err();
        error.strip_prefix(&format!("{}: ", file.display())).unwrap().to_owned()
    };

    assert!(refused("{").starts_with("no JSON: "));
    assert_eq!(refused("{}"), "the schema has to be `reactive-streams-tck/1`, got `none`");
    assert_eq!(
        refused(r#"{"schema": "reactive-streams-tck/2"}"#),
        "the schema has to be `reactive-streams-tck/1`, got `reactive-streams-tck/2`"
    );
}

#[test]
fn the_console_has_a_line_per_subject_and_what_failed() {
    assert_eq!(
        report().console(),
        "subject                passed  warned  failed  tolerated  no verdict
package/tck mine <&>        0       0       1          0           1

failed: mine <&> rule_1_1_items_never_exceed_demand
  rule 1.1: item 1 came, but 0 are requested
  rule 3.13: the subscriber was kept
0 passed, 0 warned, 1 failed, 0 tolerated, 1 without a verdict
"
    );
}

#[test]
fn the_markdown_has_an_overall_line_and_a_table_of_rules() {
    assert_eq!(
        report().markdown(),
        "# Reactive Streams

**Not conforming**: 0 passed, 0 warned, 1 failed, 0 tolerated, 1 without a verdict.

| rule | mine &lt;&> |
|---|---|
| 1.1 A subscriber never gets more items than it has requested in total. | **failed** |
| 3.9 A request for less than one item is answered with an error. | no verdict |
| 3.13 A cancel makes the publisher let go of the subscriber. | **failed** |

## Failed

- `mine <&>` `rule_1_1_items_never_exceed_demand`; rule 1.1: item 1 came, but 0 are requested; \
         rule 3.13: the subscriber was kept
"
    );
}

#[test]
fn the_junit_form_has_a_case_per_check() {
    let text = report().junit();

    let message = report().documents()[0].message.clone().unwrap();
    let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for part in [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        r#"<testsuites tests="2" failures="1" errors="0" skipped="1" time="0.003000" name="reactive-streams-tck">"#,
        r#"<testsuite tests="2" failures="1" errors="0" skipped="1" time="0.003000" name="package/tck mine &lt;&amp;&gt;">"#,
        r#"<testcase name="rule_1_1_items_never_exceed_demand" classname="mine &lt;&amp;&gt;" time="0.001500">"#,
        r#"<property name="rule" value="1.1"/>"#,
        r#"<failure message="rule 1.1: item 1 came, but 0 are requested; rule 3.13: the subscriber was kept" type="failed">"#,
        &escaped,
        r#"<skipped message="too short | or so"/>"#,
    ] {
        assert!(text.contains(part), "{part}\n is missing in\n{text}");
    }
}

#[test]
fn the_page_has_the_matrix_and_the_timelines() {
    let text = report().html();

    for part in [
        "Not conforming",
        "<th>mine &#60;&#38;&#62;</th>",
        "<h1>Reactive Streams <span class=\"origin\">package/tck</span></h1>",
        "<td class=\"cell failed\"><a href=\"#package-tck-mine-----rule-1-1-items-never-exceed-demand\">\
         failed</a></td>",
        "<details id=\"package-tck-mine-----rule-1-1-items-never-exceed-demand\" open>",
        "<td class=\"cell skipped\">no verdict</td>",
        "<td class=\"cell none\">by types</td>",
        "◀ breaks 1.1",
        "◀ breaks 3.13",
        "<td class=\"lane\">on_next #3</td>",
        "too short | or so",
    ] {
        assert!(text.contains(part), "{part}\n is missing in\n{text}");
    }
    for foreign in ["http://", "https://", "src=", "@import"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
}

#[test]
fn every_document_is_as_the_schema_says() {
    let text = include_str!("../../schema/reactive-streams-tck-1.schema.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    let report: Value = serde_json::from_str(&report().json()).unwrap();
    let outcome = &report["outcomes"][0];

    assert_eq!(deviation(&schema, &schema, outcome, "$"), None);
    assert_eq!(deviation(&schema, &schema, &report, "$"), None);
    let mut strange = outcome.clone();
    strange["verdict"] = Value::from("perfect");
    assert_eq!(deviation(&schema, &schema, &strange, "$").unwrap(), "$ is none of the forms");
    let form = &schema["$defs"]["outcome"];
    assert_eq!(deviation(&schema, form, &strange, "$").unwrap(), "$.verdict is not in the list");
    strange["verdict"] = Value::from("passed");
    strange["mood"] = Value::from("good");
    assert_eq!(deviation(&schema, form, &strange, "$").unwrap(), "$.mood is not foreseen");
}

/// The part of JSON Schema that ours uses.
fn deviation(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").expect("our references are local");
        return deviation(root, &root["$defs"][name], value, at);
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        let fits = forms.iter().filter(|form| deviation(root, form, value, at).is_none()).count();
        return (fits != 1).then(|| format!("{at} is none of the forms"));
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        return Some(format!("{at} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|list| !list.contains(value)) {
        return Some(format!("{at} is not in the list"));
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the test does not know the type {other}"),
    };
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::String(name) => is(name),
        names => names.as_array().unwrap().iter().any(|name| is(name.as_str().unwrap())),
    };
    if !fits {
        return Some(format!("{at} is no {}", schema["type"]));
    }
    if let Some(items) = value.as_array() {
        let mut items = items.iter().enumerate();
        return items
            .find_map(|(i, v)| deviation(root, &schema["items"], v, &format!("{at}[{i}]")));
    }
    let object = value.as_object()?;
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.map(|name| name.as_str().unwrap()) {
        if !object.contains_key(name) {
            return Some(format!("{at}.{name} is missing"));
        }
    }
    object.iter().find_map(|(name, value)| match &schema["properties"][name] {
        Value::Null => Some(format!("{at}.{name} is not foreseen")),
        schema => deviation(root, schema, value, &format!("{at}.{name}")),
    })
}
