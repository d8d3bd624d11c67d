//! Whether others can do harm, or are harmed.

use super::{Answer, Item, by_hand, confirms, fails, holds, unless_any};
use crate::{Spec, StageSpec};

pub(super) const ITEMS: &[Item] = &[
    ("protection", "every wait has an end", timeouts),
    ("protection", "retries are limited, and do not come at the same moment", retries),
    ("protection", "who may send is limited where the pipeline begins", edge),
    ("protection", "secrets are no part of the file", secrets),
    ("protection", "a slow part does not hold up others", isolation),
    ("protection", "what is urgent does not wait behind what is not", lanes),
];

fn timeouts(spec: &Spec) -> Answer {
    let queues = spec.backpressure.queues.iter();
    let waits = queues.map(|(name, queue)| format!("queue {name} {:?}", queue.timeout.0));
    let mut waits: Vec<_> = waits.collect();
    if let Some(time) = spec.sink.give_up_after() {
        waits.push(format!("sink {:?}", time.0));
    }
    waits.push("a stop by `--drain`".to_owned());
    let waits = waits.join(", ");
    #[cfg(feature = "amqp")]
    if matches!(spec.sink, crate::SinkSpec::Amqp(_)) {
        return by_hand(format!(
            "{waits}; while the broker has no memory or disk left, the time of the sink stands \
             still: who is told then?"
        ));
    }
    holds(waits)
}

fn retries(spec: &Spec) -> Answer {
    #[cfg(feature = "http")]
    if !confirms(&spec.sink) && spec.stages.iter().any(|stage| matches!(stage, StageSpec::Call(_)))
    {
        return holds("calls are repeated within a budget, after pauses at random");
    }
    if confirms(&spec.sink) {
        holds("the sink repeats with growing pauses at random, and then gives up")
    } else {
        holds("nothing is repeated")
    }
}

fn edge(spec: &Spec) -> Answer {
    let listens: Option<std::net::SocketAddr> = match &spec.source {
        #[cfg(feature = "http")]
        crate::SourceSpec::Http(source) => Some(source.listen),
        #[cfg(feature = "tcp")]
        crate::SourceSpec::Tcp(source) => Some(source.listen),
        _ => None,
    };
    let Some(address) = listens else { return holds("nobody can send to it by himself") };
    if address.ip().is_loopback() {
        return holds(format!("only this machine can send to {address}"));
    }
    let has_rate = spec.stages.iter().any(|stage| matches!(stage, StageSpec::Rate(_)));
    if has_rate {
        by_hand(format!(
            "anybody who reaches {address} can send, up to a rate: is that a network that you trust?"
        ))
    } else {
        fails(format!(
            "anybody who reaches {address} can send as much as the sink takes: listen on 127.0.0.1 \
             behind a proxy that knows its clients, or put a `rate` first"
        ))
    }
}

fn secrets(spec: &Spec) -> Answer {
    let lines = spec.secrets.literals();
    let reasons = lines.iter().map(|line| {
        format!("line {line} has a secret in it: write a reference, such as ${{NATS_PASSWORD}}")
    });
    unless_any(reasons.collect(), "each is a reference to a variable, and none is shown")
}

fn isolation(spec: &Spec) -> Answer {
    match spec.backpressure.queues.len() {
        0 => by_hand(
            "source, stages and sink run at one pace: is there a part that a slow sink must not \
             stop, for which a queue would have room?",
        ),
        n => holds(format!("{n} queues are between parts that run on threads of their own")),
    }
}

fn lanes(spec: &Spec) -> Answer {
    if spec.stages.iter().any(|stage| matches!(stage, StageSpec::Lanes(_))) {
        return holds(
            "items wait in lanes, of which those that are strict or weigh more come first",
        );
    }
    by_hand("the pipeline has one lane: is any kind of item more urgent? `lanes` serves it first")
}
