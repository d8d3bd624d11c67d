//! `rsocket`: `millstream-rsocket` against other implementations of the protocol.

use std::path::PathBuf;

use crate::shell::{Failure, Shell, target_dir};

/// Fetches rsocket-py, rsocket-js and rsocket-java, and plays all interactions with each of them as
/// a client and as a server.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// The versions against which this was shown.
const PYTHON: &str = "rsocket==0.4.20";
const NODE: [&str; 3] = [
    "rsocket-core@1.0.0-alpha.3",
    "rsocket-tcp-client@1.0.0-alpha.3",
    "rsocket-tcp-server@1.0.0-alpha.3",
];

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    let peers = target_dir().join("rsocket-peers");
    thrice(|| fetch_python(shell, peers.join("python")))?;
    thrice(|| fetch_node(shell, peers.join("node")))?;
    thrice(|| build_java(shell, peers.join("java")))?;
    shell
        .cargo("test --package millstream-rsocket --all-features --test interop")
        .env("RSOCKET_PEERS", "python3,node,java")
        .run()
}

/// The network may fail now and then.
fn thrice(attempt: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
    attempt().or_else(|_| attempt()).or_else(|_| attempt())
}

fn fetch_python(shell: &Shell, folder: PathBuf) -> Result<(), Failure> {
    if folder.join("rsocket").exists() {
        return Ok(());
    }
    shell
        .program("python3", "-m pip install --quiet --no-deps --target")
        .arg(&folder.display().to_string())
        .arg(PYTHON)
        // It goes into a folder of its own, and breaks no package of the system.
        .env("PIP_BREAK_SYSTEM_PACKAGES", "1")
        .run()
}

fn fetch_node(shell: &Shell, folder: PathBuf) -> Result<(), Failure> {
    if folder.join("node_modules/rsocket-tcp-server").exists() {
        return Ok(());
    }
    let call = shell
        .program("npm", "install --silent --no-fund --no-audit --no-save --prefix")
        .arg(&folder.display().to_string());
    NODE.iter().fold(call, |call, package| call.arg(package)).run()
}

fn build_java(shell: &Shell, folder: PathBuf) -> Result<(), Failure> {
    shell
        .program("mvn", "-q -B -f crates/millstream-rsocket/tests/interop/peers/java package")
        .arg(&format!("-Dpeer.target={}", folder.display()))
        .run()
}
