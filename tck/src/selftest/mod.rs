//! Subjects with deliberate mistakes, and legal oddities: the proof that the checks bite and only
//! bite what is wrong.

mod matrix;
pub mod processor;
pub mod publisher;
pub mod subscriber;

pub use matrix::{End, Hearing, Hunt, Matrix};

use crate::Subject;

/// A deliberate mistake.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Mistake {
    /// Its number in the list of mistakes, such as `M01`.
    pub id: &'static str,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// The rules of which at least one has to be found broken.
    pub rules: &'static [&'static str],
    /// Who makes it.
    pub culprit: Culprit,
}

/// Who makes a mistake.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Culprit {
    /// A subject that is run.
    Subject(fn() -> Subject),
    /// A recorded trace of a publisher, for what safe code cannot do through the types.
    Trace(&'static str),
    /// A recorded trace of a subscriber.
    SubscriberTrace(&'static str),
}

/// Something unusual that is allowed, and must not be flagged.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Oddity {
    /// What is unusual, in a few words.
    pub what: &'static str,
    /// Who does it.
    pub subject: fn() -> Subject,
}

/// The lists of mistakes, one for each kind of subject.
const MISTAKES: &[&[Mistake]] = &[publisher::MISTAKES, subscriber::MISTAKES, processor::MISTAKES];

/// The lists of oddities, one for each kind of subject.
const ODDITIES: &[&[Oddity]] = &[publisher::ODDITIES, subscriber::ODDITIES, processor::ODDITIES];

/// All mistakes.
pub fn mistakes() -> impl Iterator<Item = &'static Mistake> {
    MISTAKES.iter().copied().flatten()
}

/// All oddities.
pub fn oddities() -> impl Iterator<Item = &'static Oddity> {
    ODDITIES.iter().copied().flatten()
}

/// All subjects of them, each under a name of its own, such as `mistake-1-M01` or `oddity-7`.
pub fn subjects() -> impl Iterator<Item = Subject> {
    let wrong = (1..).zip(mistakes()).filter_map(|(n, mistake)| match mistake.culprit {
        Culprit::Subject(make) => Some(make().named(format!("mistake-{n}-{}", mistake.id))),
        Culprit::Trace(_) | Culprit::SubscriberTrace(_) => None,
    });
    let odd =
        (1..).zip(oddities()).map(|(n, oddity)| (oddity.subject)().named(format!("oddity-{n}")));
    wrong.chain(odd)
}
