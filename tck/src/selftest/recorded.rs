//! Mistakes of a publisher that safe code cannot make through the types, as recorded traces.

use super::{Culprit, Mistake};

const fn recorded(
    id: &'static str,
    what: &'static str,
    rules: &'static [&'static str],
    trace: &'static str,
) -> Mistake {
    Mistake { id, what, rules, culprit: Culprit::Trace(trace) }
}

macro_rules! after_subscribing {
    ($rest:literal) => {
        concat!("1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 9\n1 0 < request 9\n", $rest)
    };
}

pub(super) static MISTAKES: &[Mistake] = &[
    recorded(
        "M11",
        "two threads send at the same time",
        &["1.3"],
        after_subscribing!("1 1 > on_next\n1 2 > on_next\n1 1 < on_next\n1 2 < on_next"),
    ),
    recorded(
        "M14",
        "completes twice",
        &["1.7"],
        after_subscribing!("1 0 > on_complete\n1 0 < on_complete\n1 0 > on_complete"),
    ),
    recorded(
        "M16",
        "an item after completion",
        &["1.7"],
        after_subscribing!("1 0 > on_complete\n1 0 < on_complete\n1 0 > on_next"),
    ),
    recorded(
        "M18",
        "an error after completion",
        &["1.7"],
        after_subscribing!("1 0 > on_complete\n1 0 < on_complete\n1 0 > on_error"),
    ),
    recorded(
        "M20",
        "an item after an error",
        &["1.7"],
        after_subscribing!("1 0 > on_error\n1 0 < on_error\n1 0 > on_next"),
    ),
    recorded(
        "M21",
        "completion after an error",
        &["1.7"],
        after_subscribing!("1 0 > on_error\n1 0 < on_error\n1 0 > on_complete"),
    ),
    recorded(
        "M22",
        "fails twice",
        &["1.7"],
        after_subscribing!("1 0 > on_error\n1 0 < on_error\n1 0 > on_error"),
    ),
    recorded(
        "M42",
        "a nested request sends at once",
        &["3.3"],
        after_subscribing!("1 0 > on_next\n1 0 > request 1\n1 0 > on_next"),
    ),
];
