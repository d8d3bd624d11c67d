//! `rs-tck check-trace`: judges a trace that came from elsewhere.

use std::{io::Read as _, process::ExitCode};

use clap::{Args, ValueEnum};
use reactive_streams_tck::{
    checker::{
        Expectation, ProcessorExpectation, SubscriberExpectation, check_processor, check_publisher,
        check_subscriber,
    },
    trace,
};

use super::{Answer, BROKEN, NOTHING, say};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The file with one event per line; `-` reads the standard input
    file: String,
    /// Whose trace it is
    #[arg(long, value_enum, default_value_t)]
    suite: Suite,
}

/// Whose trace can be judged.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Suite {
    #[default]
    Publisher,
    Subscriber,
    Processor,
}

pub(crate) fn run(options: &Options) -> Answer {
    let file = options.file.as_str();
    let text = if file == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map(|_| text).map_err(|error| format!("standard input: {error}"))?
    } else {
        std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?
    };
    let trace = trace::parse(&text).map_err(|error| format!("{file}: {error}"))?;
    if trace.is_empty() {
        eprintln!("rs-tck: {file}: the trace is empty, so nothing was judged");
        return Ok(ExitCode::from(NOTHING));
    }
    let violations = match options.suite {
        Suite::Publisher => check_publisher(&trace, &Expectation::default()),
        Suite::Subscriber => check_subscriber(&trace, &SubscriberExpectation::default()),
        Suite::Processor => check_processor(&trace, &ProcessorExpectation::default()),
    };
    for violation in &violations {
        say!("{violation}");
        if let Some(event) = trace.get(violation.at) {
            say!("  {event}");
        }
    }
    let n = violations.len();
    say!("{} events, {n} violation{}", trace.len(), if n == 1 { "" } else { "s" });
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}
