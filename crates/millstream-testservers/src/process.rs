//! A server's process: found, started, paused and ended.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where a program is: in the folder into which `cargo xtask servers install` puts it, or in the
/// path.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(installed).chain(env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The same for a test: `None` says that it is to be skipped, and why.
///
/// # Panics
///
/// If the program is missing where servers are required.
pub(crate) fn found(program: &str) -> Option<PathBuf> {
    let wish = env::var("MILLSTREAM_SERVERS").unwrap_or_default();
    if wish == "skip" {
        return None;
    }
    let file = find(program);
    assert!(
        file.is_some() || wish != "required",
        "{program} is missing: run `cargo xtask servers install`"
    );
    if file.is_none() {
        say(&format!("skipped: {program} is missing; `cargo xtask servers install` gets it"));
    }
    file
}

#[expect(clippy::print_stderr, reason = "a test says why it did nothing")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// When a server ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stays {
    /// With its value.
    UntilItsValueEnds,
    /// With this process, whose statics are not dropped: a shell waits for its end, and removes the
    /// directory too.
    UntilThisProcessEnds,
}

/// A server with a directory and a port of its own.
#[derive(Debug)]
pub(crate) struct Server {
    stays: Stays,
    program: PathBuf,
    arguments: Vec<String>,
    pub(crate) port: u16,
    pub(crate) directory: TempDir,
    child: Option<Child>,
}

impl Server {
    /// Starts a program with the arguments that `arguments` makes of port and directory, and waits
    /// until it listens.
    pub(crate) fn start(
        program: PathBuf,
        arguments: impl FnOnce(u16, &Path) -> Vec<String>,
    ) -> Self {
        Self::start_as(Stays::UntilItsValueEnds, program, arguments)
    }

    pub(crate) fn start_as(
        stays: Stays,
        program: PathBuf,
        arguments: impl FnOnce(u16, &Path) -> Vec<String>,
    ) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        Self::start_in(directory, stays, program, arguments)
    }

    /// The same in a directory of the caller's.
    pub(crate) fn start_in(
        directory: TempDir,
        stays: Stays,
        program: PathBuf,
        arguments: impl FnOnce(u16, &Path) -> Vec<String>,
    ) -> Self {
        let port = free_port();
        let arguments = arguments(port, directory.path());
        let mut server = Self { stays, program, arguments, port, directory, child: None };
        server.restart();
        server
    }

    /// Starts it anew, with the same port and directory.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .expect("the log can be opened");
        let copy = log.try_clone().expect("a handle can be cloned");
        let child = self
            .command()
            .args(&self.arguments)
            .stdout(log)
            .stderr(copy)
            .spawn()
            .expect("the server can be started");
        self.child = Some(child);
        self.wait_until_it_listens();
    }

    fn command(&self) -> Command {
        if self.stays == Stays::UntilItsValueEnds {
            let mut command = Command::new(&self.program);
            command.stdin(Stdio::null());
            return command;
        }
        // Its input is this process's end of a pipe, which is closed when this process ends.
        let script = r#"directory=$1; shift
            "$@" < /dev/null & server=$!
            cat > /dev/null; kill -9 $server; rm -rf "$directory""#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(self.directory.path()).arg(&self.program);
        command.stdin(Stdio::piped());
        command
    }

    #[expect(clippy::disallowed_methods, reason = "a server takes real time to start")]
    fn wait_until_it_listens(&mut self) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let has_ended = self
                .child
                .as_mut()
                .is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()));
            assert!(
                !has_ended && start.elapsed() < PATIENCE,
                "{} did not start: {}",
                self.program.display(),
                fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A shell ends its server when its input ends, which waiting closes.
            if self.stays == Stays::UntilItsValueEnds {
                // One that has ended already is only waited for.
                child.kill().ok();
            }
            child.wait().ok();
        }
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let Some(child) = &self.child else { return };
        let command = format!("kill -{name} {}", child.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.is_ok_and(|status| status.success()), "{command}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// What a test may do to a server of this type, which holds a [`Server`].
macro_rules! controls {
    ($type:ty) => {
        impl $type {
            /// Ends it at once, as a crash does.
            pub fn kill(&mut self) {
                self.0.kill();
            }

            /// Starts it anew, with the same port and what it has stored.
            pub fn restart(&mut self) {
                self.0.restart();
            }

            /// Has it stand still, with its connections open (SIGSTOP).
            pub fn pause(&self) {
                self.0.signal("STOP");
            }

            /// Has it go on (SIGCONT).
            pub fn resume(&self) {
                self.0.signal("CONT");
            }

            /// A proxy before it, at this machine's address and a port of its own.
            #[must_use]
            pub fn proxy(&self) -> $crate::Proxy {
                $crate::Proxy::to(self.0.port)
            }
        }
    };
}

pub(crate) use controls;
