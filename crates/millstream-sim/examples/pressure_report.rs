//! Measures the goals of the policies, and writes the book's page about them.
//!
//! `cargo xtask pressure-report` runs it.

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use clap::Parser;
use millstream_sim::goals::{Depth, goals, page};

/// Measures the goals of the policies.
#[derive(Debug, Parser)]
struct Args {
    /// Writes the page here, and runs everything; otherwise a short form, of which nothing is
    /// written.
    #[arg(long)]
    page: Option<PathBuf>,
    /// Ends with 1 if one of these does not hold.
    #[arg(long, value_delimiter = ',')]
    held: Vec<String>,
}

#[expect(clippy::print_stdout, reason = "what was measured is what the program is for")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let depth = if args.page.is_some() { Depth::Full } else { Depth::Short };
    let findings = goals(depth);
    for goal in &findings.goals {
        let held = if goal.is_held { "held" } else { "not held" };
        println!("{}: {held}: {}", goal.number, goal.measured);
    }
    if let Some(path) = args.page {
        fs::write(path, page(&findings, "cargo xtask pressure-report --run"))?;
    }
    let is_lost =
        |name: &String| !findings.goals.iter().any(|goal| goal.number == name && goal.is_held);
    let lost: Vec<&String> = args.held.iter().filter(|name| is_lost(name)).collect();
    if lost.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("no longer held: {lost:?}");
    Ok(ExitCode::FAILURE)
}
