//! A RabbitMQ broker, of one node, with a port mapper of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

use crate::process::{Server, Stays, controls, found, free_port};

/// Where Debian has the programs themselves: those in the path change the user.
const FOLDER: &str = "/usr/lib/rabbitmq/bin";

/// How a broker is set up.
#[derive(Clone, Debug, Default)]
pub struct RabbitSetup {
    /// Certificate and key, in PEM, with which it listens for TLS besides.
    pub tls: Option<(String, String)>,
    /// More lines of its configuration, such as `max_message_size = 1000`.
    pub lines: Vec<String>,
}

/// A broker, which ends with this value. Its user is `guest`, with the password `guest`.
#[derive(Debug)]
pub struct Rabbit(Server, Node);

controls!(Rabbit);

/// What else belongs to it.
#[derive(Debug)]
struct Node {
    /// What Erlang's nodes are found by, which would otherwise stay as a daemon.
    _port_mapper: Server,
    environment: Vec<String>,
    tls_port: u16,
}

impl Rabbit {
    /// One for all tests of a process, which ends with the process. It takes seconds to start; a
    /// test has queues of its own, and neither kills nor pauses it.
    #[must_use]
    pub fn shared(setup: &RabbitSetup) -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Rabbit>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_as(Stays::UntilThisProcessEnds, setup)).as_ref()
    }

    /// Starts one without TLS.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&RabbitSetup::default())
    }

    /// Starts one. `None` says that the program is missing, and the test is to be skipped.
    ///
    /// # Panics
    ///
    /// If the broker does not start.
    #[must_use]
    pub fn start_with(setup: &RabbitSetup) -> Option<Self> {
        Self::start_as(Stays::UntilItsValueEnds, setup)
    }

    fn start_as(stays: Stays, setup: &RabbitSetup) -> Option<Self> {
        let (script, port_mapper) = (found("rabbitmq-server")?, found("epmd")?);
        let own = Path::new(FOLDER).join("rabbitmq-server");
        let script = if own.is_file() { own } else { script };
        let mapper = Server::start_as(stays, port_mapper, |port, _| {
            ["-address", "127.0.0.1", "-port", &port.to_string()].map(str::to_owned).into()
        });
        let (mut environment, tls_port) = (Vec::new(), free_port());
        // Only `env` sets variables and becomes the program, whose process is to be ended.
        let server =
            Server::start_in(in_memory(), stays, PathBuf::from("env"), |port, directory| {
                let text = configuration(setup, port, tls_port, directory);
                write(&directory.join("rabbitmq.conf"), &text);
                write(&directory.join("plugins"), "[].\n");
                environment = variables(mapper.port, directory);
                let script = script.display().to_string();
                environment.iter().cloned().chain([script]).collect()
            });
        Some(Self(server, Node { _port_mapper: mapper, environment, tls_port }))
    }

    /// Where it listens: `amqp://127.0.0.1:5672`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.0.port)
    }

    /// Where it listens for TLS, if it was set up for it: `amqps://localhost:5671`.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("amqps://localhost:{}", self.1.tls_port)
    }

    /// Runs `rabbitmqctl` for it, and returns what that prints.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub fn control(&self, words: &[&str]) -> String {
        let own = Path::new(FOLDER).join("rabbitmqctl");
        let program = if own.is_file() { own } else { PathBuf::from("rabbitmqctl") };
        let output = Command::new("env")
            .args(&self.1.environment)
            .arg(program)
            .arg("--quiet")
            .args(words)
            .output()
            .expect("it can be started");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said} {error}");
        said
    }
}

/// A directory in memory, where there is such a thing: a new broker syncs a hundred small files,
/// which takes many times as long on a disk that others use. A kill loses nothing of it.
fn in_memory() -> TempDir {
    let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    made.expect("a directory can be made")
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("it can be written");
}

/// A node of its own, which no other of this machine finds or is found by.
fn variables(mapper: u16, directory: &Path) -> Vec<String> {
    let folder = directory.display();
    vec![
        format!("HOME={folder}"),
        format!("ERL_EPMD_PORT={mapper}"),
        "ERL_EPMD_ADDRESS=127.0.0.1".to_owned(),
        "RABBITMQ_NODENAME=rabbit@localhost".to_owned(),
        format!("RABBITMQ_MNESIA_BASE={folder}/data"),
        format!("RABBITMQ_LOG_BASE={folder}/logs"),
        format!("RABBITMQ_CONFIG_FILE={folder}/rabbitmq.conf"),
        format!("RABBITMQ_ENABLED_PLUGINS_FILE={folder}/plugins"),
        format!("RABBITMQ_CONF_ENV_FILE={folder}/none"),
        format!("RABBITMQ_DIST_PORT={}", free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
            .to_owned(),
        // To enable the others compiles a module for each, which takes longer than all else.
        "RABBITMQ_FEATURE_FLAGS=quorum_queue".to_owned(),
        // The script becomes the broker in place of waiting for it.
        "detached=yes".to_owned(),
    ]
}

fn configuration(setup: &RabbitSetup, port: u16, tls_port: u16, directory: &Path) -> String {
    let mut lines = vec![
        format!("listeners.tcp.1 = 127.0.0.1:{port}"),
        "log.console = true".to_owned(),
        "log.file = false".to_owned(),
    ];
    if let Some((certificate, key)) = &setup.tls {
        let files = [("certfile", certificate), ("keyfile", key)];
        lines.push(format!("listeners.ssl.1 = 127.0.0.1:{tls_port}"));
        for (name, text) in files {
            let file = directory.join(name);
            write(&file, text);
            lines.push(format!("ssl_options.{name} = {}", file.display()));
        }
    }
    lines.extend(setup.lines.iter().cloned());
    lines.join("\n") + "\n"
}
