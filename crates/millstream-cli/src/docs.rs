//! `millstream completions`, `millstream man`: what a package ships beside the program.

use std::{fs, io::Write, path::PathBuf};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{Args, Found, Outcome};

/// Writes the completions of a shell: `millstream completions bash >
/// ~/.local/share/bash-completion/completions/millstream`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Of which shell.
    shell: Shell,
}

/// Writes the manual: the page of the program, or with a directory a page for each command.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Where the pages go: `millstream man /usr/local/share/man/man1`.
    directory: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        // It panics where it cannot write.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Args::command(), "millstream", &mut text);
        out.write_all(&text)?;
        Ok(Found::Good)
    }
}

impl Man {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let Some(directory) = self.directory else {
            let mut text = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut text)?;
            out.write_all(&text)?;
            return Ok(Found::Good);
        };
        fs::create_dir_all(&directory)?;
        clap_mangen::generate_to(Args::command(), directory)?;
        Ok(Found::Good)
    }
}
