//! `loom`: the kernel's models, under the private cfg and in a target directory of their own.
//!
//! Each model runs in its own process. A failing one often panics again in a destructor and aborts,
//! which must not take the others with it.

use std::env;

use crate::shell::{Call, Failure, Shell, target_dir};

/// The loom models of the kernel, each in its own process.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs only the models whose name contains this text.
    pub(crate) filter: Option<String>,
}

/// The test target that holds the models.
const TARGET: &str = "--package millstream-kernel --test loom";

pub(crate) fn run(shell: &Shell, filter: Option<&str>) -> Result<(), Failure> {
    if shell.has_nextest() {
        println!("runner: cargo-nextest");
        let profile = if shell.is_ci() { "ci" } else { "default" };
        let args = format!("nextest run --profile {profile} --cargo-profile loom {TARGET}");
        let call = under_loom(shell.cargo(&args));
        return match filter {
            Some(filter) => call.arg(filter).run(),
            None => call.run(),
        };
    }
    println!("runner: cargo test, once for each model, since cargo-nextest is not installed");
    one_by_one(shell, filter.unwrap_or_default())
}

fn one_by_one(shell: &Shell, filter: &str) -> Result<(), Failure> {
    let args = format!("test --quiet --profile loom {TARGET} --");
    let listing = under_loom(shell.cargo(&args)).arg("--list").arg("--format=terse").read()?;
    let names: Vec<&str> = model_names(&listing, filter).collect();
    if names.is_empty() {
        return Err(Failure::new("no model was found, so none was run"));
    }

    let mut failed = Vec::new();
    for name in &names {
        if under_loom(shell.cargo(&args)).arg("--exact").arg(name).run().is_err() {
            failed.push(*name);
        }
    }
    println!("models: {} passed, {} failed", names.len() - failed.len(), failed.len());
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("these models failed: {}", failed.join(", "))))
    }
}

fn model_names<'a>(listing: &'a str, filter: &'a str) -> impl Iterator<Item = &'a str> {
    let names = listing.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(move |name| name.contains(filter))
}

fn under_loom(call: Call) -> Call {
    // Flags of the caller's, such as a linker, stay.
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let flags = format!("{flags} --cfg millstream_loom");
    let preemptions = env::var("LOOM_MAX_PREEMPTIONS").unwrap_or_else(|_| "2".to_owned());
    // Other flags in the same directory would compile everything anew at each change of command.
    let target_dir = target_dir().join("loom");
    call.env("RUSTFLAGS", flags.trim())
        .env("LOOM_MAX_PREEMPTIONS", &preemptions)
        .env("CARGO_TARGET_DIR", &target_dir.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::model_names;

    #[test]
    fn models_are_read_from_the_listing_by_name() {
        let listing = "gate::a_request: test\nserial::a_turn: test\nserial::b: benchmark\n";

        let all: Vec<_> = model_names(listing, "").collect();
        let some: Vec<_> = model_names(listing, "gate").collect();

        assert_eq!(all, ["gate::a_request", "serial::a_turn"]);
        assert_eq!(some, ["gate::a_request"]);
    }
}
