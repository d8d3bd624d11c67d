//! `millstream simulate`: plays a scenario, or a pipeline.

mod pipeline;

use std::{fs, io::Write, path::PathBuf};

use clap::ValueEnum;
use millstream_sim::{Report, Scenario};

use self::pipeline::PipelineArgs;
use crate::{Found, Outcome};

/// Plays a scenario of load and failure in virtual time, with the policies that run live, and says
/// what came of each variant. Ends with 1 if one does not show what its file expects.
///
/// A pipeline's file is run itself in virtual time, with recorded arrivals (`--arrivals`) and a
/// sink of a known speed (`--workers 4 --service 10ms`); each `--try KEY=VALUE` is a variant of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The scenario, a YAML file (`examples/scenarios` has some), or a pipeline.
    scenario: PathBuf,
    /// The same seed gives the same report, byte for byte.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Plays this variant alone.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// A line for each variant.
    Json,
    /// A picture for each variant.
    Svg,
}

impl Args {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let Self { scenario: path, seed, format, variant, pipeline } = self;
        let of_file = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| of_file(&error))?;
        if pipeline::is_one(&text) {
            return pipeline.run((&path.display().to_string(), &text), seed, format, out);
        }
        let mut scenario = Scenario::from_yaml(&text).map_err(|error| of_file(&error))?;
        if let Some(name) = variant {
            scenario = scenario.only(&name)?;
        }
        let reports = scenario.run(seed);
        match format {
            Format::Table => write!(out, "{}", Report::table(&reports))?,
            Format::Json => {
                for report in &reports {
                    writeln!(out, "{}", report.to_json())?;
                }
            }
            Format::Svg => {
                for report in &reports {
                    write!(out, "{}", report.to_svg())?;
                }
            }
        }
        let unmet = Report::unmet_lines(&reports);
        Ok(if unmet.is_empty() { Found::Good } else { Found::Bad(unmet) })
    }
}
