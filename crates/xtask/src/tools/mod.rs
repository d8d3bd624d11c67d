//! What the commands need of the machine, and how to get it.

mod go;

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::shell::{Failure, root, target_dir};

/// A program that stages need.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// A command that succeeds where the tool is there, and says its version.
    probe: &'static str,
    /// The command that installs it. `apt-get` needs root.
    install: &'static str,
}

/// One line for each tool; a stage names those that it needs.
pub(crate) const TOOLS: &[Tool] = &[
    Tool { name: "cc", probe: "cc --version", install: "apt-get install gcc libc6-dev" },
    Tool { name: "rustfmt", probe: "cargo fmt --version", install: "rustup component add rustfmt" },
    Tool {
        name: "clippy",
        probe: "cargo clippy --version",
        install: "rustup component add clippy",
    },
    Tool {
        name: "valgrind",
        probe: "valgrind --version",
        install: "apt-get install valgrind libc6-dbg",
    },
    Tool { name: "node", probe: "node --version", install: "apt-get install nodejs" },
    Tool { name: "npm", probe: "npm --version", install: "apt-get install npm" },
    Tool { name: "chromium", probe: "chromium --version", install: "apt-get install chromium" },
    Tool { name: "promtool", probe: "promtool --version", install: "apt-get install prometheus" },
    Tool { name: "python3", probe: "python3 --version", install: "apt-get install python3" },
    Tool { name: "pip", probe: "python3 -m pip --version", install: "apt-get install python3-pip" },
    Tool {
        name: "javac",
        probe: "javac -version",
        install: "apt-get install default-jdk-headless",
    },
    Tool { name: "mvn", probe: "mvn --version", install: "apt-get install maven" },
    Tool { name: "make", probe: "make --version", install: "apt-get install make" },
    Tool { name: "c++", probe: "c++ --version", install: "apt-get install g++" },
    Tool { name: "mdbook", probe: "mdbook --version", install: MDBOOK },
    Tool { name: "kafka", probe: "kafka-run kafka.Kafka --version", install: KAFKA },
    Tool {
        name: "rabbitmq-server",
        // The command itself starts a broker, whatever it is told.
        probe: "dpkg-query -W -f ${Package}-${Version} rabbitmq-server",
        install: "apt-get install rabbitmq-server",
    },
    Tool { name: "nats-server", probe: "nats-server --version", install: NATS_SERVER },
    Tool {
        name: "redis-server",
        probe: "redis-server --version",
        install: "apt-get install redis-server",
    },
];

/// A present server, since Debian's lacks what it has learned in years.
const NATS_SERVER: &str = "go install github.com/nats-io/nats-server/v2@v2.14.10";

/// What makes pages of the book. Debian has none, and its search is left out.
const MDBOOK: &str = "cargo install --debug mdbook --locked --no-default-features --version 0.5.4";

/// Kafka's broker, from its published jars.
const KAFKA: &str = "mvn -q -B -f crates/millstream-testservers/kafka/pom.xml \
                     dependency:copy-dependencies -DincludeScope=runtime";

/// Runs a class of it, with little memory and a short start.
const KAFKA_RUN: &str = r#"#!/bin/sh
exec java -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto \
    -cp "$(dirname "$0")/../kafka/*" "$@"
"#;

/// How `apt-get` is called, so that it asks nothing.
const APT: [&str; 4] = ["-qq", "-y", "--no-install-recommends", "install"];

/// The machine, as far as tools are concerned.
pub(crate) trait Machine {
    /// The first line that the command prints, if it succeeds.
    fn probe(&mut self, command: &str) -> Option<String>;
    /// Runs an install command. `Err` says why it may not or did not.
    fn install(&mut self, command: &str) -> Result<(), String>;
}

/// Sees to the tools that are named, and prints the version of each.
///
/// # Errors
///
/// If some are missing and cannot be installed: one line says what to install, and how to do
/// without.
pub(crate) fn provide(names: &[&str], machine: &mut dyn Machine) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for tool in TOOLS.iter().filter(|tool| names.contains(&tool.name)) {
        let mut version = machine.probe(tool.probe).filter(|version| is_recent(tool.name, version));
        let mut reason = String::new();
        if version.is_none() {
            match machine.install(tool.install) {
                Ok(()) => version = machine.probe(tool.probe),
                Err(cause) => reason = format!(" ({cause})"),
            }
        }
        match version {
            Some(version) => println!("{:<12} {version}", tool.name),
            None => missing.push((tool, reason)),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let commands: Vec<String> =
        missing.iter().map(|(tool, reason)| format!("`{}`{reason}", tool.install)).collect();
    let names: Vec<&str> = missing.iter().map(|(tool, _)| tool.name).collect();
    Err(Failure::new(format!(
        "missing: {}; run {}, or skip the stages that need them by `--without {}`",
        names.join(", "),
        commands.join(" and "),
        names.join(",")
    )))
}

/// Whether a tool's version will do: nothing is known of the others.
fn is_recent(name: &str, version: &str) -> bool {
    // `nats-server: v2.14.10`
    let minor = version.split_once("v2.").and_then(|(_, rest)| rest.split('.').next());
    name != "nats-server" || minor.and_then(|minor| minor.parse().ok()).is_some_and(|n: u32| n > 10)
}

/// The machine that this runs on.
#[derive(Debug, Default)]
pub(crate) struct ThisMachine {
    is_apt_updated: bool,
}

impl Machine for ThisMachine {
    fn probe(&mut self, command: &str) -> Option<String> {
        let output = command_of(command).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
    }

    fn install(&mut self, command: &str) -> Result<(), String> {
        if let Some(module) = command.strip_prefix("go install ") {
            return go::install(module);
        }
        if command == MDBOOK {
            return install_mdbook();
        }
        if command == KAFKA {
            return install_kafka();
        }
        let Some(packages) = command.strip_prefix("apt-get install ") else {
            return succeed(&mut command_of(command));
        };
        if !is_root() {
            return Err("as root".to_owned());
        }
        if !self.is_apt_updated {
            succeed(Command::new("apt-get").args(["-qq", "update"]))?;
            self.is_apt_updated = true;
        }
        succeed(
            Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(APT)
                .args(packages.split(' ')),
        )
    }
}

/// Builds it, and keeps what was built beside it: another version takes less time.
fn install_mdbook() -> Result<(), String> {
    let folder = target_dir().join("tools");
    let mut building = command_of(MDBOOK);
    building.arg("--root").arg(&folder).env("CARGO_TARGET_DIR", folder.join("build"));
    succeed(building.env("CARGO_PROFILE_DEV_DEBUG", "0"))
}

/// Copies the jars, and writes what runs them.
fn install_kafka() -> Result<(), String> {
    let folder = target_dir().join("servers");
    let mut copying = command_of(KAFKA);
    copying.arg(format!("-DoutputDirectory={}", folder.join("kafka").display()));
    succeed(copying.current_dir(root()))?;
    let file = folder.join("bin/kafka-run");
    let written = fs::create_dir_all(folder.join("bin"))
        .and_then(|()| fs::write(&file, KAFKA_RUN))
        .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o755)));
    written.map_err(|cause| cause.to_string())
}

/// A command, its words separated by blanks.
fn command_of(text: &str) -> Command {
    let mut words = text.split(' ');
    let program = words.next().unwrap_or_default();
    // The cargo that runs this, which need not be in the path.
    let cargo = env::var("CARGO").ok().filter(|_| program == "cargo");
    let mut command = match cargo {
        Some(cargo) => Command::new(cargo),
        None => Command::new(installed_program(program)),
    };
    command.args(words);
    command
}

/// A Go of the last years, in the path or where its package has it.
pub(crate) fn go() -> Option<PathBuf> {
    go::find()
}

/// A program that was installed beside what is built, or one of the path.
pub(crate) fn installed_program(name: &str) -> PathBuf {
    let folders = ["servers/bin", "tools/bin"].map(|folder| target_dir().join(folder));
    let installed = folders.map(|folder| folder.join(name));
    installed.into_iter().find(|file| file.is_file()).unwrap_or_else(|| name.into())
}

fn succeed(command: &mut Command) -> Result<(), String> {
    println!("$ {command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("which ended with {status}")),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            Err(format!("{} was not found", command.get_program().display()))
        }
        Err(cause) => Err(cause.to_string()),
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::{Machine, TOOLS, provide};

    /// Has some tools, and can or cannot install the others.
    struct Fake {
        has: Vec<String>,
        may_install: bool,
        installs: Vec<String>,
    }

    impl Machine for Fake {
        fn probe(&mut self, command: &str) -> Option<String> {
            self.has.contains(&command.to_owned()).then(|| "1.0".to_owned())
        }

        fn install(&mut self, command: &str) -> Result<(), String> {
            self.installs.push(command.to_owned());
            if !self.may_install {
                return Err("as root".to_owned());
            }
            let tool = TOOLS.iter().find(|tool| tool.install == command).unwrap();
            self.has.push(tool.probe.to_owned());
            Ok(())
        }
    }

    fn bare(may_install: bool) -> Fake {
        Fake { has: vec!["cc --version".to_owned()], may_install, installs: Vec::new() }
    }

    #[test]
    fn what_is_missing_is_installed_and_nothing_else() {
        let mut machine = bare(true);

        provide(&["cc", "valgrind"], &mut machine).unwrap();

        assert_eq!(machine.installs, ["apt-get install valgrind libc6-dbg"]);
    }

    #[test]
    fn what_cannot_be_installed_is_said_in_one_line_with_a_way_out() {
        let failure = provide(&["cc", "clippy", "valgrind"], &mut bare(false)).unwrap_err();

        assert_eq!(
            failure.to_string(),
            "missing: clippy, valgrind; run `rustup component add clippy` (as root) and \
             `apt-get install valgrind libc6-dbg` (as root), or skip the stages that need them by \
             `--without clippy,valgrind`"
        );
    }

    #[test]
    fn an_installation_that_helps_nothing_is_a_failure() {
        struct Useless;
        impl Machine for Useless {
            fn probe(&mut self, _: &str) -> Option<String> {
                None
            }
            fn install(&mut self, _: &str) -> Result<(), String> {
                Ok(())
            }
        }

        assert!(provide(&["valgrind"], &mut Useless).is_err());
    }
}
