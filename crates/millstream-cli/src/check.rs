//! `millstream check`, `millstream schema`: what a pipeline's file says and may say.

use std::io::Write;

use millstream_pipeline::{Pipeline, Spec};

use crate::{Found, Outcome, file::FileArgs};

/// Checks a pipeline's file, and prints what it would run: each stage, the policy of each queue,
/// every bound. Opens nothing. Ends with 2 if the file is wrong, and says where.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    file: FileArgs,
}

impl Args {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let spec = self.file.read()?;
        write!(out, "{}", Pipeline::new(spec).describe())?;
        Ok(Found::Good)
    }
}

/// Writes the JSON schema of a pipeline's file, by which editors complete and check it.
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {}

impl SchemaArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let schema = schemars::schema_for!(Spec);
        serde_json::to_writer_pretty(&mut *out, &schema)?;
        writeln!(out)?;
        Ok(Found::Good)
    }
}
