//! One job in three processes: a consumer group shares the partitions, and a cluster one rate.
//!
//! ```text
//! cargo xtask servers install
//! cargo run --release -p millstream-pipeline --features kafka,redis --example workers
//! ```
//!
//! Starts a broker and a Redis server of its own, and three workers, of which one is slow. On the
//! way, one is killed and one is stopped for longer than the group waits for it. At the end it says
//! what has become of the records.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures time")]

mod scenario;
mod worker;

use std::{env, error::Error, process::Command, time::Duration};

use clap::Parser;

use crate::scenario::Scenario;

#[derive(Parser)]
struct Args {
    /// How many records.
    #[arg(long, default_value_t = 10_000)]
    records: u64,
    /// How many a second all workers do together.
    #[arg(long, default_value_t = 400.0)]
    rate: f64,
    /// After how many seconds without a sign of life the group gives a worker's partitions to
    /// others.
    #[arg(long, default_value_t = 6)]
    session_timeout: u64,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(arguments) = env::var(worker::VARIABLE) {
        return worker::run(&arguments).await;
    }
    let Args { records, rate, session_timeout } = Args::parse();
    let scenario =
        Scenario { records, rate, session_timeout: Duration::from_secs(session_timeout) };
    let program = env::current_exe()?;
    match scenario.play(|| Command::new(&program)).await? {
        Some(report) => println!("{report}"),
        None => println!("a broker or a Redis server is missing: cargo xtask servers install"),
    }
    Ok(())
}
