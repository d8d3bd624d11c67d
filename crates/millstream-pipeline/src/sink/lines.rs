//! An item as a line.

use serde_json::Value;

/// Appends a text as it is, and anything else as JSON. Line ends in a text are escaped, so that an
/// item is one line.
pub(super) fn write_line(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) if !text.contains(['\n', '\r']) => {
            out.extend_from_slice(text.as_bytes())
        }
        other => serde_json::to_writer(&mut *out, other).expect("memory can be written to"),
    }
    out.push(b'\n');
}
