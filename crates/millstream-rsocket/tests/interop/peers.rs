//! Processes that speak RSocket by other implementations.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// An implementation, and how it is started.
pub(crate) struct Peer {
    name: &'static str,
    /// What has to be there in the folder of fetched peers.
    needs: &'static str,
    command: fn(&Path) -> Command,
}

pub(crate) const PYTHON: Peer = Peer {
    name: "python3",
    needs: "python/rsocket",
    command: |fetched| {
        let mut command = Command::new("python3");
        command.arg(here().join("peer.py")).env("PYTHONPATH", fetched.join("python"));
        command
    },
};

pub(crate) const NODE: Peer = Peer {
    name: "node",
    needs: "node/node_modules/rsocket-websocket-server",
    command: |fetched| {
        let mut command = Command::new("node");
        command.arg(here().join("peer.cjs")).env("NODE_PATH", fetched.join("node/node_modules"));
        command
    },
};

pub(crate) const JAVA: Peer = Peer {
    name: "java",
    needs: "java/dependency",
    command: |fetched| {
        let mut command = Command::new("java");
        let classes = fetched.join("java/classes").display().to_string();
        let libraries = fetched.join("java/dependency/*").display().to_string();
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
        command.arg(format!("{classes}:{libraries}")).arg("Peer");
        command
    },
};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peers")
}

/// Where `cargo xtask rsocket` lays what it fetches.
fn fetched() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target =
        target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    target.join("rsocket-peers")
}

/// How long a peer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A peer that runs, and ends when this is dropped.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
}

impl Peer {
    /// Starts the peer, if what it needs was fetched. Its absence is a failure where
    /// `RSOCKET_PEERS` names it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Option<Running> {
        let fetched = fetched();
        let wanted = env::var("RSOCKET_PEERS").unwrap_or_default();
        let is_there = fetched.join(self.needs).exists();
        if !is_there && !wanted.split(',').any(|name| name == self.name) {
            eprintln!("skipped: `cargo xtask rsocket` fetches the peer for {}", self.name);
            return None;
        }
        assert!(is_there, "{} is not there", fetched.join(self.needs).display());
        let mut command = (self.command)(&fetched);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        Some(Running { name: self.name, child })
    }
}

impl Running {
    /// The first line of its output.
    pub(crate) async fn first_line(&mut self) -> String {
        let mut output = BufReader::new(self.child.stdout.take().expect("its output"));
        let mut line = String::new();
        timeout(PATIENCE, output.read_line(&mut line)).await.expect("a line in time").unwrap();
        if line.is_empty() {
            let mut errors = String::new();
            let stream = self.child.stderr.as_mut().expect("its errors");
            stream.read_to_string(&mut errors).await.unwrap();
            panic!("{} says nothing:\n{errors}", self.name);
        }
        line
    }

    /// Waits until it has ended well.
    pub(crate) async fn succeeds(self) {
        let output =
            timeout(PATIENCE, self.child.wait_with_output()).await.expect("an end in time");
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success() && text(&output.stdout).contains("ok"),
            "{} failed:\n{}\n{}",
            self.name,
            text(&output.stdout),
            text(&output.stderr)
        );
    }
}
