//! Has a responder in any language judged by the TCK's rules, through its own protocol:
//!
//! ```text
//! rs-tck judge -- judge --rsocket tcp://localhost:7000 --route numbers
//! rs-tck judge -- judge --rsocket tcp://localhost:7000 --route numbers --failing fail
//! rs-tck judge -- judge --start java Peer server
//! ```
//!
//! (`judge` is this program, as cargo builds it.) The responder answers request-stream with items
//! that are consecutive numbers from 0, in decimal, as many as the data of the request says; the
//! route is in composite metadata, and may be ignored. With `--start`, the rest of the line is a
//! command, whose process prints the port on which it answers.
//!
//! What is judged is the responder and the requester here, between which only frames go: a rule
//! that cannot be seen from outside is not tested.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
};

use clap::Parser;
use millstream::{Flow, Publisher};
use millstream_rsocket::{
    Client, Payload, Requester,
    metadata::{Composite, Mime, Routing},
};
use reactive_streams_tck::{Capabilities, Numbering, Subject, remote::serve};
use tokio::runtime::Runtime;

/// Hosts a remote responder for `rs-tck judge`.
#[derive(Debug, Parser)]
struct Options {
    /// Where the responder is: `tcp://HOST:PORT`.
    #[arg(long, required_unless_present = "start")]
    rsocket: Option<String>,
    /// The route of its numbers.
    #[arg(long, default_value = "numbers")]
    route: String,
    /// The data of a request that fails at once, if there is one.
    #[arg(long)]
    failing: Option<String>,
    /// The responder sends no more items than this.
    #[arg(long, default_value_t = 10_000)]
    max_length: u64,
    /// A command that starts the responder and prints its port.
    #[arg(long, num_args = 1.., allow_hyphen_values = true)]
    start: Vec<String>,
}

/// A process that ends with this one.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn start(command: &[String]) -> Result<(Started, String), Box<dyn Error>> {
    let (program, arguments) = command.split_first().ok_or("a command to start")?;
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("its output")?;
    let started = Started(child);
    let mut port = String::new();
    BufReader::new(output).read_line(&mut port)?;
    Ok((started, format!("127.0.0.1:{}", port.trim())))
}

/// The numbers of a responder, as the TCK tells them apart.
#[derive(Clone)]
struct Remote {
    requester: Requester,
    metadata: Payload,
}

impl Remote {
    fn ask(&self, data: String) -> Flow<impl Publisher<Item = u64> + Send + use<>> {
        let request = Payload { data: data.into(), ..self.metadata.clone() };
        self.requester.request_stream(request).map(|item| {
            // What is no number is one that no check expects.
            std::str::from_utf8(&item.data).ok().and_then(|n| n.parse().ok()).unwrap_or(u64::MAX)
        })
    }

    fn numbers(&self, n: u64) -> Flow<impl Publisher<Item = u64> + Send + use<>> {
        // As large as most languages can read.
        self.ask(n.min(i32::MAX as u64).to_string())
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    let (_started, address) = match &options.rsocket {
        Some(uri) => {
            let address = uri.strip_prefix("tcp://").ok_or("an address as tcp://HOST:PORT")?;
            (None, address.to_owned())
        }
        None => {
            let (started, address) = start(&options.start)?;
            (Some(started), address)
        }
    };
    let runtime = Runtime::new()?;
    let requester = runtime.block_on(Client::new().connect_tcp(address))?;
    let route = Routing::to(&*options.route).to_bytes();
    let metadata = Composite::new().with(Mime::ROUTING, route).to_bytes();
    let remote = Remote { requester, metadata: Payload::default().with_metadata(metadata) };

    let name = format!("rsocket:{}", options.route);
    let capabilities = Capabilities::new()
        .asynchronous()
        .max_length(options.max_length)
        .numbering(Numbering::FromZero);
    let numbers = remote.clone();
    let create = move |n| numbers.numbers(n);
    let subject = match options.failing {
        Some(data) => {
            let fail = move || remote.ask(data.clone());
            Subject::with_failing(name, capabilities, create, fail)
        }
        None => Subject::of(name, capabilities, create),
    };
    Ok(serve(vec![subject]))
}
