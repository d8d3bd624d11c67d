//! `servers`: the servers that connectors talk to, for their tests and at a desk.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    shell::{Failure, Shell, target_dir},
    tools::{self, ThisMachine, installed_program},
};

/// Installs, starts and stops the servers that connectors talk to, or runs the tests beside them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Action {
    /// Gets the programs, into `target/servers/bin` or by apt.
    Install,
    /// Runs the tests of connectors beside servers, and fails where one is missing.
    Test,
    /// Starts each on a port of its own, in `target/servers`.
    Start,
    /// Ends those that were started.
    Stop,
    /// Says which of them run, and where.
    Status,
}

/// The names of [`TOOLS`](tools::TOOLS) that are servers.
pub(crate) const NAMES: [&str; 4] = ["nats-server", "rabbitmq-server", "redis-server", "kafka"];

/// The tools of the tests beside servers: Kafka runs on Java, and comes by Maven.
pub(crate) const NEEDS: [&str; 6] =
    ["javac", "mvn", "nats-server", "rabbitmq-server", "redis-server", "kafka"];

/// The settings of a Kafka broker, with places for what differs.
const BROKER: &str = include_str!("../../../millstream-testservers/kafka/broker.properties");

/// The packages whose tests talk to servers, in a test target named `servers`.
const PACKAGES: &[&str] = &[
    "millstream-amqp",
    "millstream-kafka",
    "millstream-nats",
    "millstream-pipeline",
    "millstream-redis",
];

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    match args.action {
        Action::Install => tools::provide(&NEEDS, &mut ThisMachine::default()),
        Action::Test => test(shell),
        Action::Start => NAMES.iter().try_for_each(|name| Server::of(name).start()),
        Action::Stop => NAMES.iter().try_for_each(|name| Server::of(name).stop()),
        Action::Status => {
            NAMES.iter().for_each(|name| println!("{}", Server::of(name).status()));
            Ok(())
        }
    }
}

/// The tests beside servers, each of which starts its own.
pub(crate) fn test(shell: &Shell) -> Result<(), Failure> {
    let call = shell.cargo("test --all-features --test servers");
    let call = PACKAGES.iter().fold(call, |call, name| call.arg("--package").arg(name));
    call.env("MILLSTREAM_SERVERS", "required").run()
}

/// Where a broker of RabbitMQ listens; what belongs to it is at the ports behind.
const RABBIT: u16 = 15_672;

/// Variables of its own for a broker, and the script that becomes it.
fn rabbit(folder: &str) -> Vec<String> {
    // The one in the path changes the user.
    let script = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    let (mapper, nodes) = (RABBIT + 1, RABBIT + 2);
    [
        format!("HOME={folder}"),
        format!("ERL_EPMD_PORT={mapper}"),
        "ERL_EPMD_ADDRESS=127.0.0.1".to_owned(),
        format!("RABBITMQ_DIST_PORT={nodes}"),
        format!("RABBITMQ_NODE_PORT={RABBIT}"),
        format!("RABBITMQ_MNESIA_BASE={folder}/data"),
        format!("RABBITMQ_LOG_BASE={folder}/logs"),
        format!("RABBITMQ_CONFIG_FILE={folder}/rabbitmq.conf"),
        format!("RABBITMQ_ENABLED_PLUGINS_FILE={folder}/plugins"),
        format!("RABBITMQ_CONF_ENV_FILE={folder}/rabbitmq-env.conf"),
        "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1".to_owned(),
        "RABBITMQ_NODENAME=millstream@localhost".to_owned(),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
            .to_owned(),
        "detached=yes".to_owned(),
        script.to_owned(),
    ]
    .into()
}

/// A server at a desk: one of each, in a folder that is kept.
struct Server {
    name: &'static str,
    port: u16,
    folder: PathBuf,
}

impl Server {
    fn of(name: &'static str) -> Self {
        let port = match name {
            "nats-server" => 14_222,
            "kafka" => 19_092,
            "rabbitmq-server" => RABBIT,
            _ => 16_379,
        };
        Self { name, port, folder: target_dir().join("servers").join(name) }
    }

    /// The program that is started.
    fn program(&self) -> PathBuf {
        installed_program(match self.name {
            "kafka" => "kafka-run",
            // Sets variables, and becomes the broker.
            "rabbitmq-server" => "env",
            name => name,
        })
    }

    /// What the system calls its process.
    fn process(&self) -> &str {
        match self.name {
            "kafka" => "java",
            "rabbitmq-server" => "beam.smp",
            name => name,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let (port, folder) = (self.port.to_string(), self.folder.display().to_string());
        let properties = self.properties().display().to_string();
        let words: Vec<&str> = match self.name {
            "nats-server" => vec!["-a", "127.0.0.1", "-p", &port, "-js", "-sd", &folder],
            "kafka" => vec!["kafka.Kafka", &properties],
            "rabbitmq-server" => return rabbit(&folder),
            _ => vec!["--bind", "127.0.0.1", "--port", &port, "--dir", &folder, "--save", ""],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn properties(&self) -> PathBuf {
        self.folder.join("kafka.properties")
    }

    /// What a broker needs before its first start.
    fn prepare(&self) -> Result<(), Failure> {
        if self.name != "kafka" || self.properties().is_file() {
            return Ok(());
        }
        let text = BROKER
            .replace("{listener}", "PLAINTEXT")
            .replace("{port}", &self.port.to_string())
            .replace("{controller}", &(self.port + 1).to_string())
            .replace("{folder}", &self.folder.join("data").display().to_string());
        let told = |error| Failure::new(format!("kafka cannot be prepared: {error}"));
        fs::write(self.properties(), text).map_err(told)?;
        let format = "kafka.tools.StorageTool format -t AAAAAAAAQACAAAAAAAAAAA -c";
        let program = self.program().display().to_string();
        let call = Shell::at_the_desk().program(&program, format);
        call.arg(&self.properties().display().to_string()).run()
    }

    /// The process that was started here, if it still runs.
    fn pid(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()?;
        // Another process may have its number by now.
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        self.process().starts_with(name.trim()).then_some(pid)
    }

    fn start(&self) -> Result<(), Failure> {
        if self.pid().is_none() {
            let told = |error: std::io::Error| {
                Failure::new(format!(
                    "{} cannot be started: {error}; `cargo xtask servers install` gets it",
                    self.name
                ))
            };
            fs::create_dir_all(&self.folder).map_err(told)?;
            self.prepare()?;
            let log = fs::File::create(self.folder.join("log")).map_err(told)?;
            let child = Command::new(self.program())
                .args(self.arguments())
                .stdin(Stdio::null())
                .stderr(log.try_clone().map_err(told)?)
                .stdout(log)
                .spawn()
                .map_err(told)?;
            fs::write(self.folder.join("pid"), child.id().to_string()).map_err(told)?;
        }
        println!("{}", self.status());
        Ok(())
    }

    fn stop(&self) -> Result<(), Failure> {
        if let Some(pid) = self.pid() {
            Shell::at_the_desk().program("kill", &pid.to_string()).run()?;
            if self.name == "rabbitmq-server" {
                self.stop_port_mapper();
            }
        }
        fs::remove_file(self.folder.join("pid")).ok();
        Ok(())
    }

    /// What Erlang's nodes are found by stays, until it is told to end after the last of them.
    #[expect(clippy::disallowed_methods, reason = "a broker takes time to end")]
    fn stop_port_mapper(&self) {
        for _ in 0..100 {
            if self.pid().is_none() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        // One that is gone already is what is wanted.
        let arguments = ["-port".to_owned(), (RABBIT + 1).to_string(), "-kill".to_owned()];
        Command::new("epmd").args(arguments).output().ok();
    }

    fn status(&self) -> String {
        let Self { name, port, folder } = self;
        match self.pid() {
            Some(pid) => format!(
                "{name:<14} runs as {pid} at 127.0.0.1:{port}, and writes to {}",
                folder.join("log").display()
            ),
            None => format!("{name:<14} does not run"),
        }
    }
}

#[test]
fn every_server_is_a_tool_with_a_port_of_its_own() {
    let ports = NAMES.map(|name| Server::of(name).port);

    assert!(NAMES.iter().all(|name| tools::TOOLS.iter().any(|tool| tool.name == *name)));
    assert!((1..ports.len()).all(|n| !ports[..n].contains(&ports[n])));
    assert!(NAMES.iter().all(|name| NEEDS.contains(name)));
}
