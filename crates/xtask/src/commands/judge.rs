//! `judge`: the TCK judges subjects in other processes and languages, with what is known of them.

use std::{fs, path::PathBuf};

use crate::shell::{Failure, Shell, root, target_dir};

/// Builds the adapters, has their own mistakes caught, and judges third parties.
///
/// What is known of a third party stands in `tck/third-parties/known`: more than that fails, and
/// less too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Judges these alone, and leaves the adapters' own tests out.
    #[arg(value_parser = names())]
    parties: Vec<String>,
    /// Plays many more random scripts, and compares all subjects of the self-test in and out of
    /// process.
    #[arg(long)]
    long: bool,
}

/// Whose code is judged.
struct Party {
    name: &'static str,
    host: Host,
    /// A file of known violations.
    known: Option<&'static str>,
    /// Options of `rs-tck judge`.
    options: &'static str,
}

/// What hosts it.
enum Host {
    /// A class of `tck/third-parties/jvm`.
    Jvm(&'static str),
    /// A module.
    Node(&'static str),
    /// A module of `tck/third-parties/python`.
    Python(&'static str),
}

const PARTIES: &[Party] = &[
    Party {
        name: "node",
        host: Host::Node("tck/third-parties/node/streams.mjs"),
        known: None,
        options: "",
    },
    Party { name: "python", host: Host::Python("iterators"), known: None, options: "" },
    Party {
        name: "rsocket-py",
        host: Host::Python("rsocket_py"),
        known: Some("tck/third-parties/known/rsocket-py.toml"),
        options: "",
    },
    Party { name: "jdk", host: Host::Jvm("Jdk"), known: None, options: "" },
    Party { name: "pekko", host: Host::Jvm("Pekko"), known: None, options: "" },
    Party {
        name: "mutiny",
        host: Host::Jvm("Mutiny"),
        known: Some("tck/third-parties/known/mutiny.toml"),
        // Whether another thread's error comes before `on_subscribe` has returned is up to the
        // machine.
        options: "--skip Mutiny.emitOn::3.9_request_zero_in_on_subscribe",
    },
    Party {
        name: "rxjava",
        host: Host::Jvm("RxJava"),
        known: Some("tck/third-parties/known/rxjava.toml"),
        options: "",
    },
    Party {
        name: "reactor",
        host: Host::Jvm("Reactor"),
        known: Some("tck/third-parties/known/reactor.toml"),
        options: "",
    },
];

fn names() -> clap::builder::PossibleValuesParser {
    PARTIES.iter().map(|party| party.name).collect::<Vec<_>>().into()
}

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let is_wanted = |party: &&Party| {
        args.parties.is_empty() || args.parties.iter().any(|name| name == party.name)
    };
    shell.cargo("build --package reactive-streams-tck --bins").run()?;
    let wanted: Vec<_> = PARTIES.iter().filter(is_wanted).collect();
    if wanted.iter().any(|party| matches!(party.host, Host::Jvm(_))) {
        shell.maven("-f tck/pom.xml package").run_thrice()?;
    }
    if wanted.iter().any(|party| matches!(party.host, Host::Python(_))) {
        fetch_python(shell)?;
    }
    if args.parties.is_empty() {
        shell
            .cargo("test --package reactive-streams-tck --test judge_languages")
            .env("RS_TCK_LANGUAGES", "python3,node,java")
            .run()?;
    }
    if args.long {
        shell.cargo("test --release --package rs-tck-adapter --test parity -- --ignored").run()?;
    }
    let failed: Vec<_> =
        wanted.iter().filter(|party| judge(shell, party, args.long).is_err()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = failed.iter().map(|party| party.name).collect();
    Err(Failure::new(format!("more or less than is known was found: {}", names.join(", "))))
}

/// What of it takes neither Maven nor minutes.
pub(crate) fn run_in_ci(shell: &Shell) -> Result<(), Failure> {
    shell
        .cargo("test --package reactive-streams-tck --test judge_languages -- python node")
        .env("RS_TCK_LANGUAGES", "python3,node")
        .run()?;
    run(shell, &Args { parties: ["node", "python"].map(str::to_owned).into(), long: false })
}

/// Where the packages of Python are.
fn python_packages() -> PathBuf {
    target_dir().join("judge/python-packages")
}

fn fetch_python(shell: &Shell) -> Result<(), Failure> {
    let requirements = "tck/third-parties/python/requirements.txt";
    let wanted = fs::read_to_string(root().join(requirements))
        .map_err(|error| Failure::new(format!("{requirements} cannot be read: {error}")))?;
    let folder = python_packages();
    let fetched = folder.join("requirements.txt");
    if fs::read_to_string(&fetched).is_ok_and(|fetched| fetched == wanted) {
        return Ok(());
    }
    shell.pip(&folder).arg("--upgrade").arg("--requirement").arg(requirements).run_thrice()?;
    fs::write(&fetched, wanted)
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", fetched.display())))
}

fn judge(shell: &Shell, party: &Party, is_long: bool) -> Result<(), Failure> {
    println!("\n-- {}", party.name);
    let bin = |name: &str| target_dir().join("debug").join(name).display().to_string();
    let mut call = shell.program(&bin("rs-tck"), "judge --quiet").arg("--report-dir");
    call = call.arg(&target_dir().join("judge").join(party.name).display().to_string());
    if let Some(known) = party.known {
        call = call.arg("--expectations").arg(known);
    }
    if is_long {
        call = call.arg("--cases").arg("1000");
    }
    for option in party.options.split_whitespace() {
        call = call.arg(option);
    }
    call = call.arg("--");
    if let Host::Python(_) = party.host {
        let path = [python_packages(), root().join("tck/third-parties/python")]
            .map(|folder| folder.display().to_string())
            .join(":");
        call = call.env("PYTHONPATH", &path);
    }
    let command = match party.host {
        Host::Python(module) => {
            format!("python3 tck/adapters/python/rs_tck_adapter.py {module}")
        }
        Host::Node(module) => format!("node tck/adapters/node/rs-tck-adapter.mjs {module}"),
        Host::Jvm(class) => format!(
            "java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp \
             tck/third-parties/jvm/target/classes:tck/third-parties/jvm/target/dependency/* \
             millstream.tck.Adapter millstream.tck.others.{class}"
        ),
    };
    command.split_whitespace().fold(call, |call, word| call.arg(word)).run()
}
