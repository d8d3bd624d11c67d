//! Whether items are lost where nobody wants it, or dealt with twice.

use super::{Answer, Item, acknowledges, by_hand, confirms, fails, holds, stages, unless_any};
use crate::{OnError, SinkSpec, SourceSpec, Spec, StageSpec, Strategy};

pub(super) const ITEMS: &[Item] = &[
    ("loss", "what a full queue does is fit for its source", strategy),
    ("loss", "every item that is dropped is counted, with the reason", counted),
    ("loss", "one bad item does not stop the others", poison),
    ("loss", "an item that fails again and again ends somewhere", dead_letters),
    ("loss", "an acknowledgement says that the item is where it belongs", acknowledgement),
    ("loss", "what is delivered twice does no harm", idempotent),
    ("loss", "the broker waits longer than the longest way through the pipeline", patience),
    ("loss", "what waits on a disk is there after a restart", durable),
];

fn drops(strategy: Strategy) -> bool {
    !matches!(strategy, Strategy::Block | Strategy::Throttle)
}

fn strategy(spec: &Spec) -> Answer {
    // What is made up comes whether it is asked for or not.
    let can_wait = !matches!(&spec.source, SourceSpec::Generate(_));
    let names = spec.backpressure.queues.iter().filter(|(_, queue)| drops(queue.strategy));
    let reasons = names.filter(|_| can_wait).map(|(name, queue)| {
        format!(
            "queue {name} drops ({:?}) what its source could keep: `strategy: block` has it wait; \
             keep this where fresh items count more than all of them",
            queue.strategy
        )
    });
    unless_any(reasons.collect(), "no queue drops what its source could keep")
}

fn counted(_: &Spec) -> Answer {
    holds(
        "queues, stages, windows and generators count what they drop by its reason: it is in the \
         summary, on the page and in `/metrics`",
    )
}

fn poison(spec: &Spec) -> Answer {
    let is_strict = stages(spec, |stage| match stage {
        StageSpec::Parse(parse) => {
            (parse.on_error.unwrap_or(spec.on_error) == OnError::Fail).then_some(())
        }
        StageSpec::Filter(_) | StageSpec::Map(_) | StageSpec::Set(_) => {
            (spec.on_error == OnError::Fail).then_some(())
        }
        _ => None,
    });
    match is_strict.map(|(index, ())| format!("stages[{index}]")).collect::<Vec<_>>() {
        names if names.is_empty() => holds("bad items are skipped and counted, or no stage fails"),
        names => fails(format!(
            "an item with which {} can do nothing fails the pipeline: `on_error: skip` counts and \
             leaves it out",
            names.join(", ")
        )),
    }
}

fn dead_letters(spec: &Spec) -> Answer {
    if !acknowledges(&spec.source) {
        return holds("the source delivers each item once");
    }
    if spec.on_error == OnError::Skip {
        return holds("`on_error: skip` rejects a bad item, and it does not come again");
    }
    match &spec.source {
        #[cfg(feature = "nats")]
        SourceSpec::Nats(source) if source.max_deliver > 0 => {
            holds(format!("after {} deliveries it does not come again", source.max_deliver))
        }
        _ => fails(
            "a bad item fails the pipeline, is delivered again after a restart, and fails it \
             again: set `on_error: skip`, or `max_deliver` of the source where it has that",
        ),
    }
}

fn acknowledgement(spec: &Spec) -> Answer {
    if !acknowledges(&spec.source) {
        return holds("the source is not acknowledged: what is on its way in a crash is lost");
    }
    let windows = stages(spec, |stage| matches!(stage, StageSpec::Window(_)).then_some(()));
    let windows: Vec<_> = windows.map(|(index, ())| format!("stages[{index}]")).collect();
    if windows.is_empty() {
        let how = if confirms(&spec.sink) { "the sink's server has" } else { "the sink has taken" };
        holds(format!("an item is acknowledged when {how} it, or a stage has left it out"))
    } else {
        by_hand(format!(
            "{} acknowledges what becomes part of a window: a crash loses open windows. Can you \
             do without them?",
            windows.join(", ")
        ))
    }
}

fn idempotent(spec: &Spec) -> Answer {
    if !acknowledges(&spec.source) {
        return holds("the source delivers each item once");
    }
    let has_dedup = stages(spec, |stage| matches!(stage, StageSpec::Dedup(_)).then_some(()));
    if has_dedup.count() > 0 {
        return holds("`dedup` leaves out what came before, for as long as it remembers and runs");
    }
    match &spec.sink {
        #[cfg(feature = "nats")]
        SinkSpec::Nats(sink) if sink.id.is_some() => {
            holds("the stream knows what it has by `id`, within its window of duplicates")
        }
        SinkSpec::Null(_) => holds("the sink keeps nothing"),
        #[cfg(feature = "amqp")]
        SinkSpec::Amqp(sink) if sink.id.is_some() => {
            by_hand("messages have an `id`: do their readers leave out one that they have had?")
        }
        _ => by_hand(
            "after a failure some items come twice: can whoever reads the sink tell by a key of \
             the item? Otherwise add `dedup`, or `id` of the sink `nats`",
        ),
    }
}

fn patience(spec: &Spec) -> Answer {
    #[cfg(feature = "http")]
    if matches!(&spec.source, SourceSpec::Http(_)) && acknowledges(&spec.source) {
        return by_hand(
            "a client waits until its lines have arrived: is its timeout 3 times as long as the way \
             to the sink takes?",
        );
    }
    let waits: Option<std::time::Duration> = match &spec.source {
        #[cfg(feature = "nats")]
        SourceSpec::Nats(source) => Some(source.ack_wait.0),
        #[cfg(feature = "redis")]
        SourceSpec::Redis(source) => Some(source.claim_after.0),
        _ => None,
    };
    #[cfg(feature = "kafka")]
    if matches!(&spec.source, SourceSpec::Kafka(_)) {
        return holds(
            "the member stays in its group and keeps its partitions, however long it takes",
        );
    }
    #[cfg(feature = "amqp")]
    if matches!(&spec.source, SourceSpec::Amqp(_)) {
        return by_hand(
            "RabbitMQ gives up a consumer that holds a message for longer than `consumer_timeout`, \
             30 minutes unless it is told otherwise: is the way to the sink shorter?",
        );
    }
    let Some(waits) = waits else { return holds("the source does not wait for anything") };
    let sizes = spec.backpressure.queues.values().map(|queue| queue.size.get());
    let n: usize = sizes.sum();
    by_hand(format!(
        "it waits {waits:?} for an acknowledgement, which has to be 3 times as long as the way to \
         the sink takes. {n} items may wait in queues: how long is that at the rate of the sink?"
    ))
}

fn durable(spec: &Spec) -> Answer {
    let spills = stages(spec, |stage| match stage {
        StageSpec::Spill(spill) => Some(spill),
        _ => None,
    });
    let spills: Vec<_> = spills.collect();
    if spills.is_empty() {
        return holds("nothing waits on a disk");
    }
    let gone = spills.iter().filter(|(_, spill)| spill.directory.starts_with("/tmp"));
    let reasons = gone.map(|(index, spill)| {
        format!("stages[{index}] spills to {}, which a restart empties", spill.directory.display())
    });
    let reasons: Vec<_> = reasons.collect();
    if !reasons.is_empty() {
        return fails(reasons.join("; "));
    }
    let in_memory = spills.iter().map(|(_, spill)| spill.memory).max().unwrap_or(0);
    if in_memory > 0 && !acknowledges(&spec.source) {
        return by_hand(format!(
            "{in_memory} items wait in memory before any is written, and are lost in a crash: \
             `memory: 0` writes every item"
        ));
    }
    holds("what is written is there after a restart, and what is not is not acknowledged")
}
