//! Whether everything that waits has a bound, and says so in time.

use super::{Answer, Item, by_hand, fails, holds, stages, unless_any};
use crate::{FlowControlKind, Pipeline, SourceSpec, Spec, StageSpec};

pub(super) const ITEMS: &[Item] = &[
    ("bounds", "every queue is bounded, and its worst-case memory is known", memory),
    ("bounds", "queues of items of any size are bounded by bytes", bytes),
    ("bounds", "a queue says that it is full before it is", watermarks),
    ("bounds", "what is between source and sink is limited as a whole", credits),
    ("bounds", "state that grows with the items has an end", state),
    ("bounds", "the sink can take what comes, with room for bursts", capacity),
];

fn memory(spec: &Spec) -> Answer {
    let text = Pipeline::new(spec.clone()).describe();
    let line = text.lines().find(|line| line.starts_with("worst-case memory"));
    let n = spec.backpressure.queues.len();
    holds(format!("{n} queues; {} (`millstream check` lists them)", line.unwrap_or_default()))
}

fn bytes(spec: &Spec) -> Answer {
    const MOST: usize = 1_000;
    let is_small = matches!(spec.source, SourceSpec::Generate(_));
    let without = spec
        .backpressure
        .queues
        .iter()
        .filter(|(_, queue)| queue.bytes.is_none() && queue.size.get() > MOST && !is_small);
    let reasons = without.map(|(name, queue)| {
        format!(
            "queue {name} has room for {} items, whatever they weigh: set \
             backpressure.queues.{name}.bytes, such as 64 MiB",
            queue.size
        )
    });
    unless_any(reasons.collect(), "each queue that is long has `bytes`, or its items are made up")
}

fn watermarks(spec: &Spec) -> Answer {
    let mut reasons = Vec::new();
    for (name, queue) in &spec.backpressure.queues {
        let (low, high) = (queue.low_watermark.0, queue.high_watermark.0);
        if !(0.5..=0.9).contains(&high) {
            reasons.push(format!(
                "queue {name} is called high at {high}: from 0.7, where answers have to be fast, \
                 to 0.9"
            ));
        }
        if high - low < 0.1 {
            reasons.push(format!(
                "the watermarks of queue {name} are {low} and {high}: less than 0.1 apart, it \
                 flaps between them"
            ));
        }
    }
    unless_any(reasons, "watermarks are from 0.5 to 0.9, and 0.1 apart at the least")
}

fn credits(spec: &Spec) -> Answer {
    match &spec.flow_control {
        Some(control) if control.kind == FlowControlKind::CreditBased => {
            let credits = control.initial_credits;
            let longer = spec.backpressure.queues.iter().find(|(_, queue)| {
                u64::try_from(queue.size.get()).is_ok_and(|size| size > credits)
            });
            match longer {
                Some((name, queue)) => fails(format!(
                    "queue {name} has room for {} items, and never more than {credits} are on \
                     their way: make it smaller, or raise flow_control.initial_credits",
                    queue.size
                )),
                None => holds(format!("at most {credits} items are on their way")),
            }
        }
        Some(_) => holds("the source is slowed to a rate, and each queue has a bound"),
        None => holds("each queue has a bound; `flow_control` would bound their sum"),
    }
}

fn state(spec: &Spec) -> Answer {
    let mut what = Vec::new();
    for (index, stage) in spec.stages.iter().enumerate() {
        match stage {
            StageSpec::Dedup(dedup) => {
                what.push(format!("stages[{index}] remembers {} items", dedup.remember));
            }
            StageSpec::Window(window) if window.by.is_some() => {
                what.push(format!("stages[{index}] has at most {} keys", window.max_keys));
            }
            StageSpec::Spill(spill) => {
                what.push(format!("stages[{index}] has {} bytes on the disk", spill.max_bytes.0));
            }
            _ => {}
        }
    }
    if what.is_empty() { holds("no stage remembers items") } else { holds(what.join("; ")) }
}

fn capacity(spec: &Spec) -> Answer {
    let rates = stages(spec, |stage| match stage {
        StageSpec::Rate(rate) => Some(rate.rate.0),
        _ => None,
    });
    let least = rates.map(|(_, rate)| rate).fold(f64::INFINITY, f64::min);
    let sink = match &spec.sink {
        crate::SinkSpec::Null(null) => null.rate.map_or(f64::INFINITY, |rate| rate.0),
        _ => f64::INFINITY,
    };
    let takes = least.min(sink);
    match &spec.source {
        SourceSpec::Generate(source) if takes.is_finite() => {
            let share = source.rate.0 / takes;
            if share > 0.8 {
                fails(format!(
                    "{} come and {takes}/s are taken: above 0.8 of that, queues fill at every \
                     burst",
                    source.rate
                ))
            } else {
                holds(format!("{share:.2} of what is taken comes"))
            }
        }
        _ => by_hand(
            "measure what the sink takes a second, and compare: `millstream advise capacity`, or \
             `millstream simulate` with recorded arrivals",
        ),
    }
}
