//! `kill9`: the durable queue and its store of keys, whose process is killed at random instants.

use crate::shell::{Failure, Shell};

/// Kills a process that writes to the durable queue at random instants, and another that has
/// effects once, and looks for what they were promised.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often, shared out among the durabilities.
    #[arg(long, default_value_t = 1000)]
    pub(crate) rounds: u64,
}

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    shell
        .cargo("test --release --package millstream-spill --features dedup")
        .arg("--test")
        .arg("kill9")
        .arg("--test")
        .arg("dedup_kill9")
        .env("KILL9_ROUNDS", &args.rounds.to_string())
        .run()
}
