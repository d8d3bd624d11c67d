//! Runs programs in the workspace's root, each printed before it runs.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What all commands share: where they run, and whether the pipeline runs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shell {
    in_ci: bool,
}

impl Shell {
    /// For one command, called by a person.
    pub(crate) fn at_the_desk() -> Self {
        Self { in_ci: false }
    }

    /// For the pipeline, which has fetched everything before.
    pub(crate) fn in_ci() -> Self {
        Self { in_ci: true }
    }

    /// A call of cargo with these arguments, separated by blanks.
    pub(crate) fn cargo(self, args: &str) -> Call {
        let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut call = Call { command: Command::new(program), shown: "cargo".to_owned() };
        call.command.current_dir(root());
        for arg in args.split_whitespace() {
            call = call.arg(arg);
        }
        self.prepare(&mut call.command);
        call
    }

    /// A call of another program with these arguments, separated by blanks.
    pub(crate) fn program(self, program: &str, args: &str) -> Call {
        let mut call = Call { command: Command::new(program), shown: program.to_owned() };
        call.command.current_dir(root());
        for arg in args.split_whitespace() {
            call = call.arg(arg);
        }
        self.prepare(&mut call.command);
        call
    }

    /// Installs packages of npm, which are the arguments that follow, into this folder.
    pub(crate) fn npm(self, folder: &Path) -> Call {
        self.program("npm", "install --silent --no-fund --no-audit --no-save --prefix")
            .arg(&folder.display().to_string())
    }

    /// Installs packages of Python, which are the arguments that follow, into this folder.
    pub(crate) fn pip(self, folder: &Path) -> Call {
        self.program("python3", "-m pip install --quiet --target")
            .arg(&folder.display().to_string())
            // It goes into a folder of its own, and breaks no package of the system.
            .env("PIP_BREAK_SYSTEM_PACKAGES", "1")
    }

    /// Builds with Maven.
    pub(crate) fn maven(self, args: &str) -> Call {
        self.program("mvn", &format!("-q -B {args}"))
    }

    /// Sets what belongs to every program of the pipeline, and is printed by none.
    pub(crate) fn prepare(self, command: &mut Command) {
        if self.in_ci {
            command.env("CARGO_NET_OFFLINE", "true");
            // Every crate is compiled once, so incremental state would only cost time and space.
            command.env("CARGO_INCREMENTAL", "0");
            // The bundled C library of the Kafka client takes as long to compile as everything else
            // together when it is optimized.
            if env::var_os("CFLAGS").is_none() {
                command.env("CFLAGS", "-O0 -g0");
            }
            // A test that fails says where without it, and a hundred executables are linked sooner.
            if env::var_os("CARGO_PROFILE_DEV_DEBUG").is_none() {
                command.env("CARGO_PROFILE_DEV_DEBUG", "0");
            }
            // Tests beside servers have a stage of their own, which says otherwise.
            command.env("MILLSTREAM_SERVERS", "skip");
            if env::var_os("PROPTEST_CASES").is_none() {
                command.env("PROPTEST_CASES", "64");
            }
        }
    }
}

/// One program with its arguments and environment.
#[derive(Debug)]
pub(crate) struct Call {
    command: Command,
    shown: String,
}

impl Call {
    /// Adds one argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self.shown.push(' ');
        self.shown.push_str(arg);
        self
    }

    /// Sets a variable of the program's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = format!("{name}={value:?} {}", self.shown);
        self
    }

    /// Lets the program use the network, which the pipeline otherwise denies. A person who denied
    /// it too is obeyed.
    pub(crate) fn online(mut self) -> Self {
        match env::var_os("CARGO_NET_OFFLINE") {
            Some(value) => self.command.env("CARGO_NET_OFFLINE", value),
            None => self.command.env_remove("CARGO_NET_OFFLINE"),
        };
        self
    }

    /// Prints the call, runs it and waits for its end.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        self.once()
    }

    /// The same for a call that needs the network, which may fail now and then: up to three times,
    /// until it succeeds.
    pub(crate) fn run_thrice(mut self) -> Result<(), Failure> {
        self.once().or_else(|_| self.once()).or_else(|_| self.once())
    }

    fn once(&mut self) -> Result<(), Failure> {
        println!("$ {}", self.shown);
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(format!("`{}` ended with {status}", self.shown))),
            Err(error) => Err(Failure::new(format!("`{}` did not start: {error}", self.shown))),
        }
    }

    /// Prints the call, runs it and returns what it wrote to standard output, which is printed if
    /// it fails.
    pub(crate) fn read(self) -> Result<String, Failure> {
        self.output(true)
    }

    /// The same for an output that is made for programs, and never printed.
    pub(crate) fn lines(self) -> Result<String, Failure> {
        self.output(false)
    }

    fn output(mut self, is_for_people: bool) -> Result<String, Failure> {
        println!("$ {}", self.shown);
        self.command.stderr(Stdio::inherit());
        let output = self
            .command
            .output()
            .map_err(|error| Failure::new(format!("`{}` did not start: {error}", self.shown)))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        if is_for_people {
            print!("{text}");
        }
        Err(Failure::new(format!("`{}` ended with {}", self.shown, output.status)))
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    is_reported: bool,
}

impl Failure {
    /// With a text that names the cause.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_reported: false }
    }

    /// The same, when its text was printed already.
    pub(crate) fn reported(self) -> Self {
        Self { is_reported: true, ..self }
    }

    /// Whether its text was printed already.
    pub(crate) fn is_reported(&self) -> bool {
        self.is_reported
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
