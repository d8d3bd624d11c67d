//! Kafka's own broker, one node that is its own controller.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::process::{Server, Stays, controls, found, free_port};

/// How a broker is set up.
#[derive(Clone, Debug, Default)]
pub struct KafkaSetup {
    /// User and password that it asks for, by SASL PLAIN.
    pub user: Option<(String, String)>,
    /// More lines of its properties, such as `message.max.bytes=1000`.
    pub properties: Vec<String>,
}

/// A broker, which ends with this value.
#[derive(Debug)]
pub struct Kafka(Server);

controls!(Kafka);

impl Kafka {
    /// One for all tests of a process, which ends with the process. It takes seconds to start; a
    /// test has a topic and a group of its own, and neither kills nor pauses it.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Kafka>> = OnceLock::new();
        let start = || Self::start_as(Stays::UntilThisProcessEnds, &KafkaSetup::default());
        SHARED.get_or_init(start).as_ref()
    }

    /// Starts one that asks for no password.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&KafkaSetup::default())
    }

    /// Starts one. `None` says that the program is missing, and the test is to be skipped.
    ///
    /// # Panics
    ///
    /// If the broker does not start.
    #[must_use]
    pub fn start_with(setup: &KafkaSetup) -> Option<Self> {
        Self::start_as(Stays::UntilItsValueEnds, setup)
    }

    fn start_as(stays: Stays, setup: &KafkaSetup) -> Option<Self> {
        let program = found("kafka-run")?;
        let arguments = |port: u16, directory: &Path| {
            let file = directory.join("kafka.properties");
            std::fs::write(&file, properties(setup, port, directory)).expect("it can be written");
            format(&program, &file);
            vec!["kafka.Kafka".to_owned(), file.display().to_string()]
        };
        Some(Self(Server::start_as(stays, program.clone(), arguments)))
    }

    /// Where it listens: `127.0.0.1:9092`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.port)
    }
}

/// Makes the folder of a new cluster.
fn format(program: &PathBuf, properties: &Path) {
    let output = Command::new(program)
        .args(["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQACAAAAAAAAAAA", "-c"])
        .arg(properties)
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn properties(setup: &KafkaSetup, port: u16, directory: &Path) -> String {
    let (controller, folder) = (free_port(), directory.join("kafka"));
    let listener = if setup.user.is_some() { "SASL_PLAINTEXT" } else { "PLAINTEXT" };
    let mut text = include_str!("../kafka/broker.properties")
        .replace("{listener}", listener)
        .replace("{port}", &port.to_string())
        .replace("{controller}", &controller.to_string())
        .replace("{folder}", &folder.display().to_string());
    if let Some((user, password)) = &setup.user {
        text += &format!(
            "sasl.enabled.mechanisms=PLAIN\n\
             sasl.mechanism.inter.broker.protocol=PLAIN\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required \
             username=\"{user}\" password=\"{password}\" user_{user}=\"{password}\";\n"
        );
    }
    text + &setup.properties.join("\n")
}
