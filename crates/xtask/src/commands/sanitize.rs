//! `sanitize`: the kernel's tests under ThreadSanitizer and AddressSanitizer.
//!
//! Both need a nightly toolchain; without one the command says so and does nothing. The standard
//! library is not instrumented, because its source is not installed with a toolchain, so some of
//! what it orders is not seen by ThreadSanitizer: `sanitize.supp` beside the kernel's tests names
//! those places, and nothing of ours; `leaks.supp` names the one leak that is meant. Before the
//! suite the planted mistakes of `tests/sanitize` run with the same flags and suppressions, and
//! each has to be reported.

use std::process::{Command, Stdio};

use crate::shell::{Failure, Shell, root, target_dir};

const TARGET: &str = "x86_64-unknown-linux-gnu";
const SUPPRESSIONS: &str = "crates/millstream-kernel/tests/sanitize/sanitize.supp";
const LEAKS: &str = "crates/millstream-kernel/tests/sanitize/leaks.supp";

/// The kernel's tests under sanitizers, where a nightly toolchain is installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this one; both unless given.
    sanitizer: Option<Sanitizer>,
    /// Runs only the tests whose name contains this text.
    filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sanitizer {
    /// Data races.
    Thread,
    /// Memory that is used after it was freed, or never freed.
    Address,
}

/// A test of `tests/sanitize`, and what has to be reported of it.
struct Planted {
    test: &'static str,
    report: &'static str,
}

impl Sanitizer {
    fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Address => "address",
        }
    }

    fn planted(self) -> [Planted; 2] {
        match self {
            Self::Thread => [
                Planted { test: "race_of_writes", report: "ThreadSanitizer: data race" },
                Planted { test: "race_behind_a_queue", report: "ThreadSanitizer: data race" },
            ],
            Self::Address => [
                Planted { test: "address_of_a_freed_box", report: "heap-use-after-free" },
                Planted { test: "address_of_a_leaked_box", report: "detected memory leaks" },
            ],
        }
    }
}

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    if !has_nightly() {
        println!(
            "sanitize: SKIPPED: no nightly toolchain; install one by `rustup toolchain install nightly`"
        );
        return Ok(());
    }
    let sanitizers = match args.sanitizer {
        Some(sanitizer) => vec![sanitizer],
        None => vec![Sanitizer::Thread, Sanitizer::Address],
    };
    for sanitizer in sanitizers {
        for planted in sanitizer.planted() {
            prove(*shell, sanitizer, &planted)?;
        }
        let mut suite = cargo(*shell, sanitizer, "it");
        suite.args(&args.filter);
        let name = sanitizer.name();
        println!(
            "$ cargo +nightly test --package millstream-kernel --test it, with -Zsanitizer={name}"
        );
        let status = suite.status().map_err(|error| did_not_start(&error))?;
        if !status.success() {
            return Err(Failure::new(format!("the suite failed with the {name} sanitizer")));
        }
    }
    Ok(())
}

fn has_nightly() -> bool {
    let mut probe = Command::new("rustup");
    probe.args(["run", "nightly", "cargo", "--version"]);
    probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a planted mistake, which has to be reported.
fn prove(shell: Shell, sanitizer: Sanitizer, planted: &Planted) -> Result<(), Failure> {
    let Planted { test, report } = planted;
    let output = cargo(shell, sanitizer, "sanitize")
        .args(["--exact", test])
        .output()
        .map_err(|error| did_not_start(&error))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let is_there = text.contains(report) && text.contains("sanitize/main.rs");
    if output.status.success() || !is_there {
        print!("{text}");
        let name = sanitizer.name();
        return Err(Failure::new(format!("the {name} sanitizer does not report `{test}`")));
    }
    println!("reported, as it has to be: {test} ({report})");
    Ok(())
}

/// `cargo test` of one of the kernel's test targets with the sanitizer; arguments go to the tests.
fn cargo(shell: Shell, sanitizer: Sanitizer, test: &str) -> Command {
    let name = sanitizer.name();
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "test", "--quiet", "--package", "millstream-kernel"]);
    command.args(["--target", TARGET, "--test", test, "--"]).current_dir(root());
    // The compiler of the toolchain that runs this command is another one.
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    let flags = format!(
        "-Zsanitizer={name} -Cunsafe-allow-abi-mismatch=sanitizer --cfg millstream_planted"
    );
    command.env("RUSTFLAGS", flags);
    command.env("CARGO_TARGET_DIR", target_dir().join("sanitize").join(name));
    let suppressions = root().join(SUPPRESSIONS);
    command.env("TSAN_OPTIONS", format!("suppressions={}", suppressions.display()));
    command.env("ASAN_OPTIONS", "detect_leaks=1");
    let leaks = root().join(LEAKS);
    command.env("LSAN_OPTIONS", format!("suppressions={}", leaks.display()));
    shell.prepare(&mut command);
    command
}

fn did_not_start(error: &std::io::Error) -> Failure {
    Failure::new(format!("rustup did not start: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{LEAKS, SUPPRESSIONS, Sanitizer};
    use crate::shell::root;

    #[test]
    fn every_planted_mistake_is_a_test() {
        let path = root().join("crates/millstream-kernel/tests/sanitize/main.rs");
        let text = std::fs::read_to_string(path).unwrap();
        let planted = [Sanitizer::Thread, Sanitizer::Address].map(Sanitizer::planted);
        for test in planted.iter().flatten().map(|planted| planted.test) {
            assert!(text.contains(&format!("fn {test}(")), "{test}");
        }
    }

    #[test]
    fn nothing_of_ours_is_suppressed() {
        let text = std::fs::read_to_string(root().join(SUPPRESSIONS)).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let is_ours = line.contains("millstream") || line.contains('/');
            assert!(line.starts_with("race:") && !is_ours, "{line}");
            // A pattern without a path of the standard library would hide more than it names.
            assert!(line.contains("std::") || line.contains("alloc::") || line.contains("test::"));
        }
    }

    #[test]
    fn one_leak_is_meant() {
        let text = std::fs::read_to_string(root().join(LEAKS)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(lines.collect::<Vec<_>>(), ["leak:millstream_kernel::guard::discard"]);
    }
}
