//! `audit`: what is asked of anything that runs in production, held against a pipeline's file.
//!
//! Each item of the checklists is a function of the file: it holds, it does not, or a person has to
//! say. An item that a pipeline cannot break says why not.

mod bounds;
mod loss;
mod operation;
mod protection;

use std::fmt;

use crate::{Pipeline, SinkSpec, SourceSpec, Spec, StageSpec};

/// What an audit says of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What the item is about.
    pub group: &'static str,
    /// What is asked.
    pub item: &'static str,
    /// The answer.
    pub verdict: Verdict,
    /// Why, and what to do about it.
    pub reason: String,
}

/// What an audit answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is so.
    Holds,
    /// It is not.
    Fails,
    /// No file says: a person has to look.
    ByHand,
}

impl Verdict {
    /// As it is written: `holds`, `fails` or `by hand`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::ByHand => "by hand",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an item's function returns.
type Answer = (Verdict, String);

/// An item: what it is about, what is asked, and the function that answers.
type Item = (&'static str, &'static str, fn(&Spec) -> Answer);

fn holds(why: impl Into<String>) -> Answer {
    (Verdict::Holds, why.into())
}

fn fails(why: impl Into<String>) -> Answer {
    (Verdict::Fails, why.into())
}

fn by_hand(why: impl Into<String>) -> Answer {
    (Verdict::ByHand, why.into())
}

/// Fails for each reason, and holds without one.
fn unless_any(reasons: Vec<String>, why: impl Into<String>) -> Answer {
    if reasons.is_empty() { holds(why) } else { fails(reasons.join("; ")) }
}

impl Pipeline {
    /// Holds the pipeline's file against the checklists. Opens nothing.
    ///
    /// ```
    /// use millstream_pipeline::{Pipeline, Spec, Verdict};
    ///
    /// let spec = Spec::from_yaml(
    ///     "
    /// source: { file: { path: orders.jsonl } }
    /// stages: [{ queue: hand_over }]
    /// sink: { stdout: {} }
    /// backpressure: { queues: { hand_over: { size: 100, strategy: drop_oldest } } }
    /// ",
    /// )?;
    /// let findings = Pipeline::new(spec).audit();
    /// let fails: Vec<_> = findings.iter().filter(|it| it.verdict == Verdict::Fails).collect();
    /// assert!(fails.iter().any(|it| it.reason.contains("hand_over drops")), "{fails:?}");
    /// # Ok::<(), millstream_pipeline::InvalidSpec>(())
    /// ```
    #[must_use]
    pub fn audit(&self) -> Vec<Finding> {
        let spec = self.spec();
        let items = [bounds::ITEMS, loss::ITEMS, protection::ITEMS, operation::ITEMS];
        let finding = |(group, item, answer): &Item| {
            let (verdict, reason) = answer(spec);
            Finding { group, item, verdict, reason: spec.secrets.scrub(&reason) }
        };
        items.into_iter().flatten().map(finding).collect()
    }
}

/// Whether the source delivers again what was not acknowledged.
fn acknowledges(source: &SourceSpec) -> bool {
    match source {
        #[cfg(feature = "amqp")]
        SourceSpec::Amqp(_) => true,
        #[cfg(feature = "http")]
        SourceSpec::Http(source) => source.answer == crate::Answer::Arrived,
        #[cfg(feature = "kafka")]
        SourceSpec::Kafka(_) => true,
        #[cfg(feature = "nats")]
        SourceSpec::Nats(_) => true,
        #[cfg(feature = "redis")]
        SourceSpec::Redis(_) => true,
        _ => false,
    }
}

/// Whether the sink is a server that confirms each item.
fn confirms(sink: &SinkSpec) -> bool {
    match sink {
        #[cfg(feature = "amqp")]
        SinkSpec::Amqp(_) => true,
        #[cfg(feature = "http")]
        SinkSpec::Http(_) => true,
        #[cfg(feature = "kafka")]
        SinkSpec::Kafka(_) => true,
        #[cfg(feature = "nats")]
        SinkSpec::Nats(_) => true,
        #[cfg(feature = "redis")]
        SinkSpec::Redis(_) => true,
        #[cfg(feature = "rsocket")]
        SinkSpec::RSocket(_) => true,
        _ => false,
    }
}

/// The stages of which `pick` makes something.
fn stages<'a, T>(
    spec: &'a Spec,
    pick: impl Fn(&'a StageSpec) -> Option<T> + 'a,
) -> impl Iterator<Item = (usize, T)> + 'a {
    let picked = spec.stages.iter().enumerate();
    picked.filter_map(move |(index, stage)| pick(stage).map(|found| (index, found)))
}
