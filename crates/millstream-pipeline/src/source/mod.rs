//! Where items come from, as flows.

#[cfg(feature = "amqp")]
mod amqp;
#[cfg(any(feature = "amqp", feature = "kafka", feature = "nats", feature = "redis"))]
mod deliveries;
mod generate;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "kafka")]
mod kafka;
mod lines;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "rsocket")]
mod rsocket;
#[cfg(feature = "tcp")]
mod tcp;

use std::fs::File;

use millstream::{BoxPublisher, Error, ErrorKind, Flow, scheduler::Worker};

pub use self::generate::Load;
pub(crate) use self::generate::Schedule;
#[cfg(feature = "http")]
pub(crate) use self::http::Serving;
use self::lines::Texts;
use crate::{FileSource, SourceSpec, Spec, assemble::Threads, record::Record, status::Faults};

/// A flow in a pipeline, whose type is forgotten between stages.
pub(crate) type Stream = Flow<BoxPublisher<Record>>;

/// The source of a pipeline, which runs on a thread of its own, or on that of the network.
///
/// # Errors
///
/// It cannot be opened.
#[cfg_attr(
    not(any(
        feature = "amqp",
        feature = "http",
        feature = "kafka",
        feature = "nats",
        feature = "redis",
        feature = "rsocket",
        feature = "tcp"
    )),
    expect(unused_variables, reason = "nothing talks to servers")
)]
pub(crate) fn open(
    spec: &Spec,
    Threads { source: pool, net, .. }: &Threads,
    clock: &Worker,
    schedule: &Schedule,
    faults: &Faults,
    lost: &Faults,
) -> Result<Stream, Error> {
    let texts = |name: String| Texts {
        name,
        on_error: spec.on_error,
        faults: faults.clone(),
        clock: clock.clone(),
    };
    Ok(match &spec.source {
        SourceSpec::File(FileSource { path, follow }) => {
            let name = path.display().to_string();
            let opened = File::open(path).map_err(|cause| {
                Error::with_source(ErrorKind::Io, "", cause).context(format!("cannot read {name}"))
            })?;
            if *follow {
                lines::follow(path.clone(), opened, texts(name), pool)
            } else {
                lines::of_file(opened, texts(name), pool)
            }
        }
        SourceSpec::Stdin(_) => lines::of_stdin(texts("standard input".to_owned()), pool)?,
        #[cfg(feature = "amqp")]
        SourceSpec::Amqp(amqp) => amqp::open(amqp, &spec.name, texts("amqp".to_owned()), net)?,
        #[cfg(feature = "http")]
        SourceSpec::Http(http) => http::open(http, texts("http".to_owned()), net)?,
        #[cfg(feature = "kafka")]
        SourceSpec::Kafka(kafka) => kafka::open(kafka, &spec.name, texts("kafka".to_owned()), net)?,
        #[cfg(feature = "nats")]
        SourceSpec::Nats(nats) => nats::open(nats, &spec.name, texts("nats".to_owned()), net)?,
        #[cfg(feature = "redis")]
        SourceSpec::Redis(redis) => redis::open(redis, texts("redis".to_owned()), net)?,
        #[cfg(feature = "rsocket")]
        SourceSpec::RSocket(rsocket) => rsocket::open(rsocket, texts("rsocket".to_owned()), net)?,
        #[cfg(feature = "tcp")]
        SourceSpec::Tcp(tcp) => tcp::open(tcp, texts("tcp".to_owned()), net)?,
        SourceSpec::Generate(spec) => generate::flow(spec, schedule, pool, clock, lost),
    })
}
