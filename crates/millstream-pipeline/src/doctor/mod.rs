//! `diagnose`: connects to what a pipeline's file names, and says what is wrong and what to do.

#[cfg(feature = "amqp")]
mod amqp;
mod files;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "rsocket")]
mod rsocket;
#[cfg(any(feature = "http", feature = "tcp"))]
mod tcp;

use std::io::IsTerminal as _;

use crate::{Finding, Pipeline, SinkSpec, SourceSpec, StageSpec, Verdict, net::Net};

/// What was found out about a part of a pipeline.
pub(crate) struct Notes {
    part: &'static str,
    findings: Vec<Finding>,
}

impl Notes {
    fn of(part: &'static str) -> Self {
        Self { part, findings: Vec::new() }
    }

    fn good(&mut self, item: &'static str, reason: impl Into<String>) {
        self.add(item, Verdict::Holds, reason);
    }

    fn bad(&mut self, item: &'static str, reason: impl Into<String>) {
        self.add(item, Verdict::Fails, reason);
    }

    /// A person has to look.
    fn look(&mut self, item: &'static str, reason: impl Into<String>) {
        self.add(item, Verdict::ByHand, reason);
    }

    fn add(&mut self, item: &'static str, verdict: Verdict, reason: impl Into<String>) {
        self.findings.push(Finding { group: self.part, item, verdict, reason: reason.into() });
    }
}

impl Pipeline {
    /// Connects to what the file names, looks at what is there, and says what is wrong and what to
    /// do about it. Takes no item, and writes nothing but a file without a name that it removes.
    /// Blocks for as long as the timeouts of connections allow.
    #[must_use]
    pub fn diagnose(&self) -> Vec<Finding> {
        let spec = self.spec();
        let net = Net::default();
        let mut source = Notes::of("source");
        match &spec.source {
            SourceSpec::File(file) => files::read(&file.path, &mut source),
            SourceSpec::Stdin(_) if std::io::stdin().is_terminal() => {
                source.look("input", "is this terminal: type lines, and Ctrl-D at the end");
            }
            SourceSpec::Stdin(_) => source.good("input", "is a pipe or a file"),
            SourceSpec::Generate(_) => source.good("input", "is made up here"),
            #[cfg(feature = "amqp")]
            SourceSpec::Amqp(amqp) => amqp::source(amqp, &spec.name, &net, &mut source),
            #[cfg(feature = "http")]
            SourceSpec::Http(http) => tcp::port(http.listen, &mut source),
            #[cfg(feature = "kafka")]
            SourceSpec::Kafka(kafka) => {
                let named = (spec.name.as_str(), kafka.topics.as_slice());
                kafka::topics(&kafka.connection, named, &net, &mut source);
            }
            #[cfg(feature = "nats")]
            SourceSpec::Nats(nats) => nats::source(nats, &spec.name, &net, &mut source),
            #[cfg(feature = "redis")]
            SourceSpec::Redis(redis) => redis::connection(&redis.connection, &net, &mut source),
            #[cfg(feature = "rsocket")]
            SourceSpec::RSocket(rsocket) => {
                rsocket::connection(&rsocket.connection, &net, &mut source);
            }
            #[cfg(feature = "tcp")]
            SourceSpec::Tcp(tcp) => tcp::port(tcp.listen, &mut source),
        }
        let mut stages = Notes::of("stages");
        for stage in &spec.stages {
            if let StageSpec::Spill(spill) = stage {
                files::folder(&spill.directory, &mut stages);
            }
            #[cfg(feature = "http")]
            if let StageSpec::Call(call) = stage {
                tcp::url(&call.url, call.timeout.0, &mut stages);
            }
        }
        let mut sink = Notes::of("sink");
        match &spec.sink {
            SinkSpec::File(file) => files::write(&file.path, &mut sink),
            SinkSpec::Stdout(_) => sink.good("output", "is the standard output"),
            SinkSpec::Null(_) => sink.good("output", "goes nowhere"),
            #[cfg(feature = "amqp")]
            SinkSpec::Amqp(amqp) => amqp::sink(amqp, &spec.name, &net, &mut sink),
            #[cfg(feature = "http")]
            SinkSpec::Http(http) => tcp::url(&http.url, http.timeout.0, &mut sink),
            #[cfg(feature = "kafka")]
            SinkSpec::Kafka(kafka) => {
                let named = (spec.name.as_str(), std::slice::from_ref(&kafka.topic));
                kafka::topics(&kafka.connection, named, &net, &mut sink);
            }
            #[cfg(feature = "nats")]
            SinkSpec::Nats(nats) => nats::sink(nats, &spec.name, &net, &mut sink),
            #[cfg(feature = "redis")]
            SinkSpec::Redis(redis) => redis::connection(&redis.connection, &net, &mut sink),
            #[cfg(feature = "rsocket")]
            SinkSpec::RSocket(rsocket) => {
                rsocket::connection(&rsocket.connection, &net, &mut sink);
            }
            #[cfg(feature = "tcp")]
            SinkSpec::Tcp(tcp) => tcp::server(&tcp.address, tcp.timeout.0, &mut sink),
        }
        drop(net);
        let all = [source, stages, sink].into_iter().flat_map(|notes| notes.findings);
        all.map(|finding| Finding { reason: spec.secrets.scrub(&finding.reason), ..finding })
            .collect()
    }
}
