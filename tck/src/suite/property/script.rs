//! One random script: how it is drawn, played and written down.

use std::fmt;

use crate::{
    capabilities::Capabilities,
    play::probe::{Act, Blueprint, Deed, Recorder, Script},
    random::Random,
    settings::Settings,
    subject::{ErasedPublisher, Wanted},
    suite::round::Round,
    trace::Event,
};

/// Lengths that are drawn: small ones show most.
const LENGTHS: [u64; 8] = [0, 1, 2, 3, 4, 7, 20, 100];
/// Requests that are drawn, from the smallest to those that overflow.
const REQUESTS: [u64; 12] = [1, 1, 1, 2, 2, 3, 5, 16, 33, 1 << 32, u64::MAX - 1, u64::MAX];
/// How many of them an endless publisher can be asked for.
const N_SMALL: usize = 9;
const MAX_STEPS: u64 = 8;

/// A publisher's length, and what is done to its subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) length: u64,
    pub(super) steps: Vec<Step>,
}

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// From outside, after the steps before it.
    Now(Act),
    /// From within a signal.
    Within(Deed),
    /// Waits for what is due.
    Settle,
}

impl Case {
    /// The script with this index: always the same for a seed, however many are drawn.
    pub(super) fn draw(seed: u64, index: u64, capabilities: &Capabilities) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ index);
        let length = capabilities.length(random.pick(&LENGTHS));
        let requests = match length > 10_000 {
            true => &REQUESTS[..N_SMALL],
            false => &REQUESTS[..],
        };
        let n_steps = 1 + random.below(MAX_STEPS);
        let steps = (0..n_steps).map(|_| Self::draw_step(&mut random, requests)).collect();
        Self { length, steps }
    }

    fn draw_step(random: &mut Random, requests: &[u64]) -> Step {
        let act = match random.below(16) {
            0 => Act::Request(0),
            1 | 2 => Act::Cancel,
            _ => Act::Request(random.pick(requests)),
        };
        match random.below(8) {
            0 => Step::Settle,
            1 => Step::Within(Deed { at: 0, act }),
            2 | 3 => Step::Within(Deed { at: 1 + random.below(4), act }),
            _ => Step::Now(act),
        }
    }

    /// Plays it on a new publisher; `None` if there is none.
    pub(super) fn play(
        &self,
        id: u32,
        publisher: &ErasedPublisher,
        settings: Settings,
        recorder: &Recorder,
        has_come: impl Fn(&[Event]) -> bool,
    ) -> Option<Round> {
        let deeds = self.steps.iter().filter_map(|step| match step {
            Step::Within(deed) => Some(*deed),
            Step::Now(_) | Step::Settle => None,
        });
        let mut blueprint = Blueprint::new(id, recorder, Script::default());
        blueprint.deeds = deeds.collect::<Vec<_>>().into();
        let wanted = Wanted::Items(self.length);
        let round = Round::begin(publisher, wanted, vec![blueprint], settings, recorder)?;
        let handle = round.handle(0);
        for step in &self.steps {
            match (step, &handle) {
                (Step::Now(act), Some(handle)) => {
                    handle.act(*act);
                }
                (Step::Settle, _) => {
                    // A quiet while for each would take long; there is one at the end.
                    round.stage.wait_until(|| has_come(&recorder.events()));
                }
                _ => {}
            }
        }
        Some(round)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "length {}", self.length)?;
        let act = |f: &mut fmt::Formatter<'_>, act: Act| match act {
            Act::Request(n) => write!(f, "request({n})"),
            Act::Cancel => f.write_str("cancel()"),
        };
        for (index, step) in self.steps.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { ", " })?;
            match *step {
                Step::Now(now) => act(f, now)?,
                Step::Within(deed) => {
                    act(f, deed.act)?;
                    match deed.at {
                        0 => f.write_str(" in on_subscribe")?,
                        n => write!(f, " in on_next {n}")?,
                    }
                }
                Step::Settle => f.write_str("settle")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_scripts() {
        let capabilities = Capabilities::new();
        let draw = |seed, index| Case::draw(seed, index, &capabilities);

        assert_eq!(draw(7, 3), draw(7, 3));
        assert_ne!(draw(7, 3), draw(8, 3));
        // Pinned: a seed in an old report has to repeat what it found.
        let text = "length 4: cancel() in on_next 3, request(0), cancel(), request(33) in on_subscribe, \
                    request(18446744073709551614)";
        assert_eq!(draw(1, 0).to_string(), text);
    }

    #[test]
    fn an_endless_publisher_is_asked_for_little() {
        let capabilities = Capabilities::new().exact_length(u64::MAX);
        let cases = (0..500).map(|index| Case::draw(1, index, &capabilities));
        let acts = cases.flat_map(|case| case.steps).filter_map(|step| match step {
            Step::Now(act) | Step::Within(Deed { act, .. }) => Some(act),
            Step::Settle => None,
        });

        assert!(acts.clone().count() > 500);
        assert!(acts.into_iter().all(|act| !matches!(act, Act::Request(100..))));
    }
}
