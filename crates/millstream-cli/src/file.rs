//! The file of a pipeline, as an argument.

use std::{fs, path::PathBuf};

use millstream_pipeline::Spec;

/// A pipeline's file, and what is changed in it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The pipeline, a YAML file; `millstream schema` says what may stand in it.
    file: PathBuf,
    /// Replaces a value of the file: `--set source.generate.rate=500`, `--set stages.0.filter='a >
    /// 1'`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

impl FileArgs {
    /// What the file says now.
    pub(crate) fn read(&self) -> Result<Spec, String> {
        let name = self.file.display().to_string();
        let text = fs::read_to_string(&self.file).map_err(|error| format!("{name}: {error}"))?;
        Spec::with_overrides(&text, &self.overrides).map_err(|error| error.in_file(&name))
    }

    /// When it was changed last, as far as the system says.
    pub(crate) fn changed(&self) -> Option<std::time::SystemTime> {
        fs::metadata(&self.file).and_then(|data| data.modified()).ok()
    }
}
