//! Looks for the smallest script that still breaks a rule.

use std::time::Duration;

use super::script::{Case, Step};
use crate::{
    play::probe::{Act, Deed},
    verdict::Outcome,
};

/// So many scripts are tried at most.
const MAX_TRIES: usize = 300;
/// Scripts that fail may take so long together.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Makes the script smaller as long as it fails, and gives what came out of the last one that did.
pub(super) fn shrink(
    mut case: Case,
    mut outcome: Outcome,
    fails: impl Fn(&Case) -> Option<Outcome>,
) -> (Case, Outcome) {
    let (mut tries, mut took) = (0, Duration::ZERO);
    'smaller: loop {
        for candidate in smaller(&case) {
            tries += 1;
            if tries > MAX_TRIES || took > MAX_TIME {
                break 'smaller;
            }
            if let Some(its_outcome) = fails(&candidate) {
                took += its_outcome.took;
                (case, outcome) = (candidate, its_outcome);
                continue 'smaller;
            }
        }
        break;
    }
    (case, outcome)
}

/// Every script that is one change smaller, the smallest first.
fn smaller(case: &Case) -> Vec<Case> {
    let mut candidates = Vec::new();
    let n_steps = case.steps.len();
    // Whole parts first: half of the steps, a quarter, and so on.
    let mut part = n_steps / 2;
    while part > 0 {
        for start in (0..n_steps).step_by(part) {
            let mut steps = case.steps.clone();
            drop(steps.drain(start..(start + part).min(n_steps)));
            candidates.push(Case { steps, ..*case });
        }
        part /= 2;
    }
    if n_steps == 1 {
        candidates.push(Case { steps: Vec::new(), ..*case });
    }
    let with_length = |length| Case { length, steps: case.steps.clone() };
    candidates.extend(smaller_numbers(case.length, 0).map(with_length));
    for (index, step) in case.steps.iter().enumerate() {
        let replaced = |step: Step| {
            let mut steps = case.steps.clone();
            steps[index] = step;
            Case { steps, ..*case }
        };
        candidates.extend(smaller_steps(*step).into_iter().map(replaced));
    }
    candidates
}

fn smaller_steps(step: Step) -> Vec<Step> {
    let acts = |act| match act {
        Act::Request(n) => smaller_numbers(n, 1).map(Act::Request).collect::<Vec<_>>(),
        Act::Cancel => Vec::new(),
    };
    match step {
        Step::Now(act) => acts(act).into_iter().map(Step::Now).collect(),
        Step::Within(Deed { at, act }) => {
            let earlier = smaller_numbers(at, 0).map(|at| Step::Within(Deed { at, act }));
            let less = acts(act).into_iter().map(|act| Step::Within(Deed { at, act }));
            earlier.chain(less).collect()
        }
        Step::Settle => Vec::new(),
    }
}

/// The least number, the root, the half, and one less, as far as they are less than `n`.
fn smaller_numbers(n: u64, least: u64) -> impl Iterator<Item = u64> {
    let mut numbers = vec![least, n.isqrt(), n / 2, n.saturating_sub(1)];
    numbers.retain(|number| *number < n && *number >= least);
    numbers.dedup();
    numbers.into_iter()
}
