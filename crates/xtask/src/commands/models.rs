//! `loom` and `shuttle`: what runs under a checker that decides which thread goes on.
//!
//! Each checker has a private cfg, under which the kernel takes its atomics from it, and a target
//! directory of its own. Each model runs in its own process. A failing one often panics again in a destructor and aborts,
//! which must not take the others with it.

use std::env;

use crate::shell::{Call, Failure, Shell, target_dir};

/// What both commands take.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs only the models whose name contains this text.
    pub(crate) filter: Option<String>,
}

/// What decides which thread goes on, and the models that it runs.
#[derive(Debug)]
pub(crate) struct Checker {
    /// The private cfg.
    cfg: &'static str,
    /// The test target that holds the models.
    target: &'static str,
    /// Where they are built, in the target directory. Other flags in the same directory would compile
    /// everything anew at each change of command.
    folder: &'static str,
    /// Variables and what they are unless they are set.
    variables: &'static [(&'static str, &'static str)],
}

/// The kernel's parts: every schedule and every order of memory, within bounds.
pub(crate) const LOOM: Checker = Checker {
    cfg: "millstream_loom",
    target: "--package millstream-kernel --test loom",
    folder: "loom",
    variables: &[("LOOM_MAX_PREEMPTIONS", "2")],
};

/// Whole pipelines: schedules that are drawn at random.
pub(crate) const SHUTTLE: Checker = Checker {
    cfg: "millstream_shuttle",
    target: "--package millstream --no-default-features --test shuttle",
    folder: "shuttle",
    variables: &[],
};

pub(crate) fn run(shell: &Shell, checker: &Checker, filter: Option<&str>) -> Result<(), Failure> {
    let target = checker.target;
    if shell.has_nextest() {
        println!("runner: cargo-nextest");
        let profile = if shell.is_ci() { "ci" } else { "default" };
        let args = format!("nextest run --profile {profile} --cargo-profile loom {target}");
        let call = checker.watch(shell.cargo(&args));
        return match filter {
            Some(filter) => call.arg(filter).run(),
            None => call.run(),
        };
    }
    println!("runner: cargo test, once for each model, since cargo-nextest is not installed");
    one_by_one(shell, checker, filter.unwrap_or_default())
}

fn one_by_one(shell: &Shell, checker: &Checker, filter: &str) -> Result<(), Failure> {
    let args = format!("test --quiet --profile loom {} --", checker.target);
    let listing = checker.watch(shell.cargo(&args)).arg("--list").arg("--format=terse").read()?;
    let names: Vec<&str> = model_names(&listing, filter).collect();
    if names.is_empty() {
        return Err(Failure::new("no model was found, so none was run"));
    }

    let mut failed = Vec::new();
    for name in &names {
        if checker.watch(shell.cargo(&args)).arg("--exact").arg(name).run().is_err() {
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

impl Checker {
    /// Has the checker decide, in what `call` compiles and runs.
    fn watch(&self, call: Call) -> Call {
        // Flags of the caller's, such as a linker, stay.
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        let flags = format!("{flags} --cfg {}", self.cfg);
        let target_dir = target_dir().join(self.folder);
        let call = call
            .env("RUSTFLAGS", flags.trim())
            .env("CARGO_TARGET_DIR", &target_dir.display().to_string());
        self.variables.iter().fold(call, |call, (name, default)| {
            call.env(name, &env::var(name).unwrap_or_else(|_| (*default).to_owned()))
        })
    }
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
