//! `rsocket`: `millstream-rsocket` against other implementations of the protocol.

use std::{path::Path, thread};

use crate::shell::{Failure, Shell, target_dir};

/// Fetches rsocket-py, rsocket-js and rsocket-java, and plays all interactions with each of them as
/// a client and as a server.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Also has the TCK judge a responder of ours and one of rsocket-java.
    #[arg(long)]
    judge: bool,
    /// Measures beside rsocket-java and frames over TCP, and leaves out the rest.
    #[arg(long)]
    measure: bool,
}

/// The versions against which this was shown.
const PYTHON: &str = "rsocket==0.4.20";
const NODE: [&str; 5] = [
    "rsocket-core@1.0.0-alpha.3",
    "rsocket-tcp-client@1.0.0-alpha.3",
    "rsocket-tcp-server@1.0.0-alpha.3",
    "rsocket-websocket-client@1.0.0-alpha.3",
    "rsocket-websocket-server@1.0.0-alpha.3",
];

/// What the pipeline runs: all interactions, and the TCK.
pub(crate) fn run_in_ci(shell: &Shell) -> Result<(), Failure> {
    run(shell, &Args { judge: true, measure: false })
}

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let peers = target_dir().join("rsocket-peers");
    fetch(shell, &peers)?;
    if args.measure {
        return shell
            .cargo("run --release --package millstream-rsocket --example measure -- --java")
            .arg(&peers.join("java").display().to_string())
            .run();
    }
    shell
        .cargo("test --package millstream-rsocket --all-features --test interop")
        .env("RSOCKET_PEERS", "python3,node,java")
        .run()?;
    if args.judge { judge(shell, &peers.join("java")) } else { Ok(()) }
}

/// Has the TCK judge a responder of ours and one of rsocket-java, both at a time: most of it is
/// waiting for what must not come.
fn judge(shell: &Shell, java: &Path) -> Result<(), Failure> {
    shell.cargo("build --package reactive-streams-tck --bins").run()?;
    shell.cargo("build --package millstream-rsocket --examples").run()?;
    let built = |name: &str| target_dir().join("debug").join(name).display().to_string();
    let classes = java.join("classes").display().to_string();
    let libraries = java.join("dependency/*").display().to_string();
    let ours = [built("examples/numbers")];
    let theirs = ["java", "-cp", &format!("{classes}:{libraries}"), "Peer", "server", "tcp"];
    let responders: [(&str, &[&str]); 2] = [("ours", &[&ours[0]]), ("java", &theirs)];
    let calls = responders.map(|(name, responder)| {
        let call = shell
            .program(&built("rs-tck"), "judge --quiet --report-dir")
            .arg(&target_dir().join("judge/rsocket").join(name).display().to_string())
            .arg("--")
            .arg(&built("examples/judge"));
        let call = ["--failing", "fail", "--start"].iter().fold(call, |call, word| call.arg(word));
        responder.iter().fold(call, |call, word| call.arg(word))
    });
    thread::scope(|scope| {
        let judging = calls.map(|call| scope.spawn(|| call.run()));
        judging.into_iter().try_for_each(|each| {
            each.join().unwrap_or_else(|_| Err(Failure::new("a judge panicked")))
        })
    })
}

/// Has what is not there yet of each in a folder of its own.
fn fetch(shell: &Shell, peers: &Path) -> Result<(), Failure> {
    let [python, node, java] = ["python", "node", "java"].map(|name| peers.join(name));
    if !python.join("rsocket").exists() {
        shell.pip(&python).arg("--no-deps").arg(PYTHON).run_thrice()?;
    }
    if !node.join("node_modules/rsocket-websocket-server").exists() {
        NODE.iter().fold(shell.npm(&node), |call, package| call.arg(package)).run_thrice()?;
    }
    shell
        .maven("-f crates/millstream-rsocket/tests/interop/peers/java package")
        .arg(&format!("-Dpeer.target={}", java.display()))
        .run_thrice()
}
