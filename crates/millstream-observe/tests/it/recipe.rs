//! The recipe for OpenTelemetry, as it is in the examples.

#[path = "../../examples/opentelemetry.rs"]
#[expect(dead_code, reason = "its `main` prints what is looked at here")]
mod opentelemetry;

#[test]
fn the_recipe_exports_what_was_counted() {
    let lines = opentelemetry::exported().unwrap();

    assert!(lines.contains(&"millstream_stage_delivered_items [9.0]".to_owned()), "{lines:?}");
    assert!(lines.contains(&"millstream_stage_ended [1.0]".to_owned()), "{lines:?}");
}
