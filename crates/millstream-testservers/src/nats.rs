//! A NATS server with JetStream.

use std::path::Path;

use crate::process::{Server, controls, found};

/// How a NATS server is set up.
#[derive(Clone, Debug, Default)]
pub struct NatsSetup {
    /// User and password that it asks for.
    pub user: Option<(String, String)>,
    /// The most bytes of a message.
    pub max_payload: Option<usize>,
    /// Whether it has no JetStream, so that a test may answer in its place.
    pub is_without_jetstream: bool,
}

/// A NATS server, with JetStream unless set up otherwise, which ends with this value.
#[derive(Debug)]
pub struct Nats(Server);

controls!(Nats);

impl Nats {
    /// Starts one that asks for no password.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&NatsSetup::default())
    }

    /// Starts one. `None` says that the program is missing, and the test is to be skipped.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[must_use]
    pub fn start_with(setup: &NatsSetup) -> Option<Self> {
        let program = found("nats-server")?;
        let arguments = |port: u16, directory: &Path| {
            let file = directory.join("nats.conf");
            std::fs::write(&file, configuration(setup, port, directory))
                .expect("it can be written");
            vec!["-c".to_owned(), file.display().to_string()]
        };
        Some(Self(Server::start(program, arguments)))
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.0.port)
    }
}

fn configuration(setup: &NatsSetup, port: u16, directory: &Path) -> String {
    let mut text = format!("listen: 127.0.0.1:{port}\n");
    if !setup.is_without_jetstream {
        text += &format!("jetstream {{ store_dir: {:?} }}\n", directory.join("jetstream"));
    }
    if let Some((user, password)) = &setup.user {
        text += &format!("authorization {{ user: {user:?}, password: {password:?} }}\n");
    }
    if let Some(bytes) = setup.max_payload {
        text += &format!("max_payload: {bytes}\n");
    }
    text
}
