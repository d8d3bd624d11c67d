//! `loom` and `shuttle`: what runs under a checker that decides which thread goes on.
//!
//! Each checker has a private cfg, under which the kernel takes its atomics from it, and a target
//! directory of its own. Each model runs in its own process. A failing one often panics again in a
//! destructor and aborts, which must not take the others with it.

use std::env;

use crate::{
    runner::{self, Settings},
    shell::{Call, Failure, Shell, target_dir},
};

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
    /// Where they are built, in the target directory. Other flags in the same directory would
    /// compile everything anew at each change of command.
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
    let build = shell.cargo(&format!("test --profile loom {}", checker.target));
    let executables = runner::build(checker.watch(build))?;
    let variables = checker.variables.iter().map(|(name, default)| {
        ((*name).to_owned(), env::var(name).unwrap_or_else(|_| (*default).to_owned()))
    });
    // A process for each.
    let settings = Settings { n_at_a_time: 1, filter, variables: variables.collect() };
    match runner::run(shell, &executables, &settings)? {
        0 => Err(Failure::new("no model was found, so none was run")),
        _ => Ok(()),
    }
}

impl Checker {
    /// Has the checker decide, in what `call` compiles and runs.
    fn watch(&self, call: Call) -> Call {
        // Flags of the caller's, such as a linker, stay.
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        let flags = format!("{flags} --cfg {}", self.cfg);
        let target_dir = target_dir().join(self.folder);
        call.env("RUSTFLAGS", flags.trim())
            .env("CARGO_TARGET_DIR", &target_dir.display().to_string())
    }
}
