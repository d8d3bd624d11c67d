//! Plays a scenario, and says what came of it.
//!
//! `cargo run --release -p millstream-sim --example simulate -- SCENARIO.yaml --seed 1`

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use millstream_sim::{Report, Scenario};

/// Plays a scenario, and says what came of it. Ends with 1 if a variant does not show what it
/// should.
#[derive(Debug, Parser)]
struct Args {
    /// The scenario, a YAML file.
    scenario: PathBuf,
    /// The same seed gives the same report.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Plays this variant alone.
    #[arg(long)]
    variant: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
    Svg,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { scenario: path, seed, format, variant } = Args::parse();
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut scenario =
        Scenario::from_yaml(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(name) = variant {
        scenario = scenario.only(&name)?;
    }
    let reports = scenario.run(seed);
    print(&reports, format);
    let unmet = Report::unmet_lines(&reports);
    unmet.iter().for_each(|unmet| complain(unmet));
    Ok(if unmet.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn print(reports: &[Report], format: Format) {
    match format {
        Format::Table => print!("{}", Report::table(reports)),
        Format::Json => reports.iter().for_each(|report| println!("{}", report.to_json())),
        Format::Svg => reports.iter().for_each(|report| print!("{}", report.to_svg())),
    }
}

#[expect(clippy::print_stderr, reason = "what is wrong does not belong into the report")]
fn complain(unmet: &str) {
    eprintln!("{unmet}");
}
