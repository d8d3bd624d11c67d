//! A Redis server.

use std::path::Path;

use crate::process::{Server, controls, found};

/// A Redis server, which ends with this value.
#[derive(Debug)]
pub struct Redis(Server);

controls!(Redis);

impl Redis {
    /// Starts one that asks for no password, and stores each write before it answers.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with more settings: `["--requirepass", "secret"]`. `None` says that the program
    /// is missing, and the test is to be skipped.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        let program = found("redis-server")?;
        let arguments = |port: u16, directory: &Path| {
            let own = [
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--dir",
                &directory.display().to_string(),
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ];
            own.iter().chain(settings).map(|argument| (*argument).to_owned()).collect()
        };
        Some(Self(Server::start(program, arguments)))
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.0.port)
    }
}
