//! The reference adapter: hosts the TCK's own subjects, right and wrong ones, for another process.
//!
//! ```text
//! rs-tck judge -- rs-tck-adapter                # the mistakes and oddities of the self-test
//! rs-tck judge -- rs-tck-adapter M01            # some of them, by name
//! ```
//!
//! An adapter for subjects of your own is this file with another list.

use std::process::ExitCode;

use reactive_streams_tck::{Subject, remote::serve, selftest};

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted =
        |subject: &Subject| names.is_empty() || names.iter().any(|name| name == subject.name());
    serve(selftest::subjects().filter(is_wanted).collect())
}
