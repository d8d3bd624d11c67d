//! Pipelines from end to end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "files and threads of the system have its time")]
#![expect(clippy::print_stderr, reason = "what is skipped is said")]

mod advice;
mod flow_control;
mod http;
mod lanes;
mod life;
mod reference;
mod reload;
mod rsocket;
mod stages;
mod tcp;

use std::{fs, path::Path};

use millstream_pipeline::{Pipeline, Running, Spec, Status};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for the files of a test, which stand for `DIR` in its pipeline.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn spec(&self, yaml: &str) -> Spec {
        let text = yaml.replace("DIR", self.path().to_str().unwrap());
        Spec::from_yaml(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn start(&self, yaml: &str) -> Running {
        Pipeline::new(self.spec(yaml)).start().unwrap()
    }

    /// Runs a pipeline to its end.
    fn run(&self, yaml: &str) -> Result<Status, String> {
        self.start(yaml).wait().map_err(|error| error.to_string())
    }

    /// What `stages` make of `lines`.
    fn through(&self, lines: &str, stages: &str) -> Result<Vec<Value>, String> {
        self.write("in", lines);
        self.run(&format!(
            "source: {{ file: {{ path: DIR/in }} }}\nstages:\n{stages}\nsink: {{ file: {{ path: DIR/out }} }}\n"
        ))?;
        Ok(self.read("out").lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}
