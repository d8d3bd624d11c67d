//! What a benchmark measured that criterion does not keep: a file beside criterion's.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

/// Numbers by name, in the units that the names say.
pub type Record = BTreeMap<String, f64>;

/// Where cargo builds, seen from a benchmark or from the report.
#[must_use]
pub fn target_dir() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn path_of(subject: &str) -> PathBuf {
    target_dir().join("millstream-bench").join(format!("{subject}.json"))
}

/// Keeps what was measured, in place of what was kept before.
///
/// # Errors
///
/// The file cannot be written.
pub fn keep(subject: &str, record: &Record) -> io::Result<()> {
    let path = path_of(subject);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, serde_json::to_string_pretty(record)?)
}

/// What was kept, or nothing if the benchmark has not been run.
#[must_use]
pub fn read(subject: &str) -> Record {
    let text = fs::read_to_string(path_of(subject)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
