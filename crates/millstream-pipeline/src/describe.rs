//! What a pipeline does, in words.

use std::fmt::Write as _;

use crate::{SinkSpec, SourceSpec, Spec, StageSpec};

/// The source, each stage and the sink, a line each.
pub(crate) fn stages(spec: &Spec) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: String| {
        // A text can be written to.
        writeln!(text, "{name:<12} {what}").ok();
    };
    line("source", source(&spec.source));
    if let Some(flow_control) = &spec.flow_control {
        line("", format!("slowed down: {:?}", flow_control.kind));
    }
    for (index, stage) in spec.stages.iter().enumerate() {
        line(&format!("stages[{index}]"), format!("{} {}", stage.kind(), of_stage(stage)));
    }
    line("sink", sink(&spec.sink));
    text
}

fn source(spec: &SourceSpec) -> String {
    match spec {
        SourceSpec::File(file) if file.follow => {
            format!("the lines of {}, and what is added to it", file.path.display())
        }
        SourceSpec::File(file) => format!("the lines of {}", file.path.display()),
        SourceSpec::Stdin(_) => "the lines of the standard input".to_owned(),
        #[cfg(feature = "amqp")]
        SourceSpec::Amqp(spec) => format!(
            "the queue {} at {}, at most {} unacknowledged",
            spec.queue, spec.connection.server, spec.max_unacknowledged
        ),
        #[cfg(feature = "http")]
        SourceSpec::Http(spec) => format!(
            "the lines of requests to http://{}{}, of which at most {} wait",
            spec.listen, spec.path, spec.capacity
        ),
        #[cfg(feature = "kafka")]
        SourceSpec::Kafka(spec) => format!(
            "the topics {} at {}, as a member of the group {}",
            spec.topics.join(", "),
            spec.connection.brokers.join(", "),
            spec.group
        ),
        #[cfg(feature = "nats")]
        SourceSpec::Nats(spec) => format!(
            "the consumer {} of the stream {} at {}",
            spec.consumer,
            spec.stream,
            spec.connection.servers.join(", ")
        ),
        #[cfg(feature = "redis")]
        SourceSpec::Redis(spec) => format!(
            "the stream {} at {}, as {} of the group {}",
            spec.key, spec.connection.server, spec.consumer, spec.group
        ),
        #[cfg(feature = "rsocket")]
        SourceSpec::RSocket(spec) => {
            format!("the stream of {} at {}", spec.asks(), spec.connection.server)
        }
        #[cfg(feature = "tcp")]
        SourceSpec::Tcp(spec) => {
            format!("the lines of up to {} connections to {}", spec.max_connections, spec.listen)
        }
        SourceSpec::Generate(spec) => format!("{} made up, {:?}", spec.rate, spec.shape),
    }
}

fn sink(spec: &SinkSpec) -> String {
    match spec {
        SinkSpec::Stdout(_) => "standard output".to_owned(),
        SinkSpec::File(file) => {
            let rotation = file.rotate.as_ref().map_or_else(String::new, |rotate| {
                format!(", a new one each {} bytes, {} old ones kept", rotate.size.0, rotate.keep)
            });
            let how = if file.append { "added to" } else { "written anew" };
            format!("{}, {how}{rotation}", file.path.display())
        }
        SinkSpec::Null(null) => match null.rate {
            Some(rate) => format!("nowhere, {rate}"),
            None => "nowhere".to_owned(),
        },
        #[cfg(feature = "amqp")]
        SinkSpec::Amqp(spec) => {
            let (kind, name) = match (&spec.queue, &spec.exchange) {
                (Some(queue), _) => ("queue", queue.as_str()),
                (None, exchange) => ("exchange", exchange.as_deref().unwrap_or_default()),
            };
            let (server, most) = (&spec.connection.server, spec.in_flight);
            format!("to the {kind} {name} at {server}, at most {most} unconfirmed")
        }
        #[cfg(feature = "http")]
        SinkSpec::Http(spec) => {
            format!("{} {}, at most {} at a time", spec.method, spec.url, spec.concurrency)
        }
        #[cfg(feature = "kafka")]
        SinkSpec::Kafka(spec) => format!(
            "to the topic {} at {}, at most {} unconfirmed",
            spec.topic,
            spec.connection.brokers.join(", "),
            spec.in_flight
        ),
        #[cfg(feature = "nats")]
        SinkSpec::Nats(spec) => format!(
            "to the subject {} at {}, at most {} unconfirmed",
            spec.subject,
            spec.connection.servers.join(", "),
            spec.in_flight
        ),
        #[cfg(feature = "redis")]
        SinkSpec::Redis(spec) => format!(
            "to the stream {} at {}, at most {} unconfirmed",
            spec.key, spec.connection.server, spec.in_flight
        ),
        #[cfg(feature = "rsocket")]
        SinkSpec::RSocket(spec) => format!(
            "to {} at {}, at most {} unanswered",
            spec.route.as_deref().unwrap_or("no route"),
            spec.connection.server,
            spec.in_flight
        ),
        #[cfg(feature = "tcp")]
        SinkSpec::Tcp(spec) => format!("to {}, a line each", spec.address),
    }
}

fn of_stage(stage: &StageSpec) -> String {
    match stage {
        StageSpec::Parse(spec) => format!("{:?}", spec.format),
        StageSpec::Filter(expression) | StageSpec::Map(expression) => expression.text().to_owned(),
        StageSpec::Set(fields) => {
            let fields = fields.iter().map(|(name, made)| format!("{name} = {}", made.text()));
            fields.collect::<Vec<_>>().join(", ")
        }
        StageSpec::Keep(names) => names.join(", "),
        StageSpec::Dedup(spec) => {
            let key = spec.key.as_ref().map_or("the whole item", |key| key.text());
            format!("by {key}, of the last {}", spec.remember)
        }
        StageSpec::Sample(spec) => format!("one of {}", spec.one_of),
        StageSpec::Rate(spec) => format!("{}, at most {} at once", spec.rate, spec.burst),
        StageSpec::Window(spec) => {
            let length = match (spec.count, spec.every) {
                (Some(count), _) => format!("of {count} items"),
                (None, Some(every)) => format!("of {:?}", every.0),
                (None, None) => String::new(),
            };
            let by = spec.by.as_ref().map_or_else(String::new, |by| format!(" by {}", by.text()));
            let names = spec.aggregates.keys().cloned().collect::<Vec<_>>().join(", ");
            format!("{length}{by}: {names}")
        }
        StageSpec::Queue(name) => name.value.clone(),
        StageSpec::Lanes(spec) => {
            let lanes = spec.lanes.iter().map(|(name, lane)| match lane.strict {
                true => format!("{name} first"),
                false => format!("{name} with {}", lane.weight),
            });
            format!("by {}: {}", spec.by.text(), lanes.collect::<Vec<_>>().join(", "))
        }
        #[cfg(feature = "http")]
        StageSpec::Call(spec) => {
            format!("{}, at most {} at a time", spec.url, spec.concurrency)
        }
        StageSpec::Spill(spec) => format!(
            "to {}: {} items in memory, then up to {} bytes",
            spec.directory.display(),
            spec.memory,
            spec.max_bytes.0
        ),
    }
}
