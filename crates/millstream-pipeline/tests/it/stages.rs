//! What each stage makes of items.

use serde_json::{Value, json};

use crate::Desk;

fn through(lines: &str, stages: &str) -> Vec<Value> {
    Desk::new().through(lines, stages).unwrap()
}

fn fails(lines: &str, stages: &str, part: &str) {
    let error = Desk::new().through(lines, stages).unwrap_err();
    assert!(error.contains(part), "{error}");
}

#[test]
fn json_is_parsed_filtered_and_turned_into_another() {
    let made = through(
        "{\"status\": 200, \"ms\": 5}\n{\"status\": 503, \"ms\": 7}\n",
        "  - parse: json
  - filter: status >= 500
  - set: { slow: ms > 6, twice: ms * 2 }
  - keep: [status, slow, twice]",
    );

    assert_eq!(made, [json!({ "status": 503, "slow": true, "twice": 14 })]);
    assert_eq!(through("{\"a\": 1}\n", "  - parse: json\n  - map: '[a, a + 1]'"), [json!([1, 2])]);
}

#[test]
fn csv_has_names_from_its_first_line_or_from_the_file() {
    let types = "types: { price: float, n: int, is_new: bool }";
    let lines = "name,price,n,is_new\n\"a, \"\"b\"\"\",1.5,2,true\n";
    let made = through(lines, &format!("  - parse: {{ format: csv, {types} }}"));
    assert_eq!(made, [json!({ "name": "a, \"b\"", "price": 1.5, "n": 2, "is_new": true })]);

    let made = through("a;1\n", "  - parse: { format: csv, columns: [k, v], separator: ';' }");
    assert_eq!(made, [json!({ "k": "a", "v": "1" })]);
    fails("a,b\n1\n", "  - parse: csv", "has 1 values for 2 columns, in 1");
    fails("a,\n1,2\n", "  - parse: csv", "no name for one");
    let desk = Desk::new();
    desk.write("in", "id,,price\n1,2,3\n");
    let skips = desk.run(
        "on_error: skip
source: { file: { path: DIR/in } }
stages: [{ parse: csv }]
sink: { 'null': {} }",
    );
    assert!(skips.unwrap_err().contains("no name for one"), "the next line is no header");
    assert_eq!(through("\na\n1\n\n", "  - parse: csv"), [json!({ "a": "1" })]);
    let whole = "  - parse: { format: csv, types: { a: int } }";
    fails("a\nx\n", whole, "a is `x` and not a whole number");
}

#[test]
fn access_logs_have_the_fields_of_the_combined_format() {
    let line =
        r#"::1 - bob [14/Mar/2026:09:30:00 +0100] "GET /a?b=\"c\" HTTP/1.1" 404 - "-" "a b""#;
    let made = through(line, "  - parse: access_log");

    assert_eq!(
        made,
        [json!({
            "client": "::1", "ident": null, "user": "bob", "time": 1_773_477_000, "method": "GET",
            "path": r#"/a?b=\"c\""#, "protocol": "HTTP/1.1", "status": 404, "bytes": 0,
            "referer": null, "agent": "a b",
        })]
    );
    let common = r#"h - - [14/Mar/2026:09:30:00 +0000] "x" 200 5"#;
    assert_eq!(through(common, "  - parse: access_log")[0]["path"], json!("x"));
    fails("nonsense", "  - parse: access_log", "is not in the common or combined log format");
    let never = r#"h - - [99/Mar/2026:09:30:00 +0000] "x" 200 5"#;
    fails(never, "  - parse: access_log", "which is none");
}

#[test]
fn a_pattern_makes_fields_of_its_groups() {
    let stage = "  - parse: { format: regex, pattern: '(?P<k>\\w+)=(?P<v>\\d+)(?P<unit>ms)?', types: { v: int } }";

    assert_eq!(through("a=5ms\n", stage), [json!({ "k": "a", "v": 5, "unit": "ms" })]);
    assert_eq!(through("a=5\n", stage), [json!({ "k": "a", "v": 5, "unit": null })]);
    fails("a5", stage, "does not match the pattern, in a5");
}

#[test]
fn what_a_stage_can_do_nothing_with_fails_the_pipeline_or_is_skipped() {
    fails("{\"a\": 1}\nx\n", "  - parse: json", "stages[0] parse: ");
    fails("{\"a\": 1}\n", "  - parse: json\n  - filter: b > 1", "stages[1] filter: `b > 1`: ");
    fails("x\n", "  - keep: [a]", "is a text without fields: parse it first");
    let desk = Desk::new();
    desk.write("in", "{\"a\": 1}\nx\n{\"b\": 1}\n");
    let status = desk
        .run(
            "on_error: skip
source: { file: { path: DIR/in } }
stages: [{ parse: json }, { filter: a == 1 }]
sink: { file: { path: DIR/out } }",
        )
        .unwrap();

    assert_eq!((status.taken, status.arrived, status.skipped, status.lost()), (3, 1, 2, 2));
    assert!(status.first_fault.unwrap().starts_with("stages[0] parse: "));
}

#[test]
fn an_item_that_a_window_can_do_nothing_with_is_in_no_aggregate() {
    let desk = Desk::new();
    desk.write("in", "{\"n\":1}\n{\"n\":null}\n{\"m\":1}\n{\"n\":-2}\n{\"n\":4}\n");
    let pipeline = "source: { file: { path: DIR/in } }
stages:
  - parse: json
  - window: { count: 9, aggregates: { count: count, sum: { sum: n }, p99: { p99: n } } }
sink: { file: { path: DIR/out } }";
    assert!(
        desk.run(pipeline).unwrap_err().contains("stages[1] window: `n`: null is not a number")
    );

    let status = desk.run(&format!("on_error: skip\n{pipeline}")).unwrap();

    assert_eq!(status.skipped, 3);
    assert_eq!(desk.read("out"), "{\"count\":2,\"p99\":4.0,\"sum\":5}\n");
}

#[test]
fn equal_items_are_dropped_as_far_as_they_are_remembered() {
    let lines = "1\n2\n1\n3\n1\n";
    assert_eq!(through(lines, "  - dedup: {}"), [json!(1), json!(2), json!(3)]);
    let two = through(lines, "  - dedup: { remember: 2 }");
    assert_eq!(two, [json!(1), json!(2), json!(3), json!(1)]);
    let made =
        through("{\"a\":1,\"b\":1}\n{\"a\":1,\"b\":2}\n", "  - parse: json\n  - dedup: { key: a }");
    assert_eq!(made, [json!({ "a": 1, "b": 1 })]);
    assert_eq!(
        through("1\n2\n3\n4\n5\n", "  - sample: { one_of: 2 }"),
        [json!(1), json!(3), json!(5)]
    );
}

#[test]
fn windows_of_time_close_when_the_time_has_passed() {
    let item =
        |time: u64, key: &str, n: u64| format!("{{\"t\":{time},\"k\":\"{key}\",\"n\":{n}}}\n");
    let lines = [
        item(60, "b", 1),
        item(61, "a", 2),
        item(119, "a", 4),
        item(125, "a", 8),
        item(70, "a", 16),  // within the lateness
        item(131, "a", 32), // closes the first
        item(65, "a", 64),  // too late
    ];
    let window = "  - parse: json
  - window:
      every: 1m
      time: t
      lateness: 10s
      by: k
      aggregates:
        n: count
        sum: { sum: n }
        mean: { mean: n }
        max: { max: n }
        first: { first: n }
        last: { last: n }
        p50: { p50: n }
        kinds: { distinct: n }";
    let made = through(&lines.concat(), window);

    let window = |from: u64, key: &str| made.iter().find(|w| w["from"] == from && w["key"] == key);
    assert_eq!(made.len(), 3);
    let first = window(60, "a").unwrap();
    assert_eq!(
        *first,
        json!({
            "from": 60, "to": 120, "key": "a", "n": 3, "sum": 22, "mean": 22.0 / 3.0, "max": 16,
            "first": 2, "last": 16, "p50": 4.0, "kinds": 3,
        })
    );
    assert_eq!(window(60, "b").unwrap()["n"], 1);
    assert_eq!(window(120, "a").unwrap()["sum"], 40);
}

#[test]
fn windows_of_a_number_of_items_are_apart_by_key_and_the_rest_comes_at_the_end() {
    let made = through(
        "1\n2\n3\n4\n5\n",
        "  - parse: json
  - map: \"{'n': it, 'odd': it % 2}\"
  - window: { count: 2, by: odd, aggregates: { n: count, sum: { sum: n } } }",
    );

    assert_eq!(
        made,
        [
            json!({ "key": 1, "n": 2, "sum": 4 }),
            json!({ "key": 0, "n": 2, "sum": 6 }),
            json!({ "key": 1, "n": 1, "sum": 5 }),
        ]
    );
    let few =
        "  - parse: json\n  - window: { count: 9, by: it, max_keys: 2, aggregates: { n: count } }";
    fails("1\n2\n3\n", few, "more than 2 keys in progress");
}

#[test]
fn lines_that_are_not_text_are_said_by_number() {
    let desk = Desk::new();
    std::fs::write(desk.path().join("in"), b"a\n\xff\nb\n").unwrap();
    let pipeline = "source: { file: { path: DIR/in } }\nsink: { file: { path: DIR/out } }";
    let error = desk.run(pipeline).unwrap_err();
    assert!(error.contains("/in: line 2 is not UTF-8"), "{error}");

    let status = desk.run(&format!("on_error: skip\n{pipeline}")).unwrap();
    assert_eq!((status.arrived, status.skipped), (2, 1));
    assert_eq!(desk.read("out"), "a\nb\n");
}
