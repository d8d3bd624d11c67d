//! What a source and a consumer do, drawn by seed.

use std::fmt;

/// What is done in one run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) items: Vec<u64>,
    pub(super) end: End,
    /// How the source answers, one after the other and round: see [`Answer`].
    pub(super) answers: Vec<Answer>,
    pub(super) actions: Vec<Action>,
    /// What is requested from inside of `on_next`, item by item and round.
    pub(super) inside: Vec<u64>,
    /// What is requested from inside of `on_subscribe`, or ahead of it where the source takes it.
    pub(super) first: u64,
    pub(super) stop: Stop,
    /// Whether the source makes offers, and takes the first request ahead of the subscription.
    pub(super) offers: bool,
    /// Whether an item that is on its way when the source is canceled still arrives (rule 2.8).
    pub(super) is_late: bool,
}

/// How a source ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    Fail,
    Never,
}

/// What a source does when it owes something: sends up to `n` items, and the others, or the end,
/// `delay` nanoseconds later; with a delay of 0, at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) n: u64,
    pub(super) delay: u64,
}

/// What a consumer does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Request(u64),
    Await(u64),
    Cancel,
}

/// What a consumer does inside of a signal: of `on_subscribe`, of the item of this number, or of
/// the one that ends the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Not,
    CancelAtOnce,
    CancelAt(usize),
    PanicAtOnce,
    PanicAt(usize),
    PanicAtEnd,
}

/// `SplitMix64`, by Steele, Lea and Flood.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Random(seed);
        let n_items = random.below(24);
        let items = (0..n_items).map(|_| random.below(8)).collect();
        let end = match random.below(8) {
            0 => End::Never,
            1 => End::Fail,
            _ => End::Complete,
        };
        let n_answers = random.below(6);
        let answers = (0..n_answers)
            .map(|_| Answer { n: random.below(4), delay: random.below(3) * random.below(40) })
            .collect();
        let n_actions = random.below(16);
        let actions = (0..n_actions)
            .map(|_| match random.below(16) {
                0 => Action::Cancel,
                1..=4 => Action::Await(random.below(50)),
                5 => Action::Request(u64::MAX),
                _ => Action::Request(1 + random.below(5)),
            })
            .collect();
        let n_inside = random.below(4);
        let inside = (0..n_inside).map(|_| random.below(3)).collect();
        let at = 1 + random.below(12) as usize;
        let stop = match random.below(6) {
            0 => Stop::CancelAt(at),
            1 => Stop::PanicAt(at),
            _ => Stop::Not,
        };
        let first = random.below(3) * random.below(4);
        let stop = match random.below(24) {
            0 => Stop::CancelAtOnce,
            1 => Stop::PanicAtOnce,
            2 => Stop::PanicAtEnd,
            _ => stop,
        };
        let offers = random.below(2) == 0;
        let is_late = random.below(3) == 0;
        Self { items, end, answers, actions, inside, first, stop, offers, is_late }
    }

    /// The same with something less to it, the most first.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut try_with = |change: &dyn Fn(&mut Self)| {
            let mut plan = self.clone();
            change(&mut plan);
            all.push(plan);
        };
        if !self.inside.is_empty() {
            try_with(&|plan| plan.inside.clear());
        }
        if !self.answers.is_empty() {
            try_with(&|plan| plan.answers.clear());
        }
        if self.first > 0 {
            try_with(&|plan| plan.first = 0);
        }
        if self.offers {
            try_with(&|plan| plan.offers = false);
        }
        if self.is_late {
            try_with(&|plan| plan.is_late = false);
        }
        if self.stop != Stop::Not {
            try_with(&|plan| plan.stop = Stop::Not);
        }
        if self.end != End::Complete {
            try_with(&|plan| plan.end = End::Complete);
        }
        if self.items.len() > 1 {
            try_with(&|plan| plan.items.truncate(plan.items.len() / 2));
        }
        for index in 0..self.actions.len() {
            try_with(&|plan| _ = plan.actions.remove(index));
        }
        for index in 0..self.items.len() {
            try_with(&|plan| _ = plan.items.remove(index));
        }
        for index in 0..self.answers.len() {
            try_with(&|plan| _ = plan.answers.remove(index));
        }
        for index in 0..self.inside.len() {
            try_with(&|plan| _ = plan.inside.remove(index));
        }
        for (index, item) in self.items.iter().enumerate().filter(|(_, item)| **item > 0) {
            try_with(&|plan| plan.items[index] = item - 1);
        }
        for (index, action) in self.actions.iter().enumerate() {
            if let Action::Request(n @ 2..) = *action {
                try_with(&|plan| plan.actions[index] = Action::Request(n.min(9) - 1));
            }
        }
        all
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { items, end, answers, actions, inside, first, stop, offers, is_late } = self;
        write!(f, "  source: {items:?}, and then ")?;
        match end {
            End::Complete => f.write_str("completes")?,
            End::Fail => f.write_str("fails")?,
            End::Never => f.write_str("nothing")?,
        }
        for Answer { n, delay } in answers {
            write!(f, "\n    sends {n} items at once, and the others after {delay} ns")?;
        }
        if *offers {
            f.write_str("\n    makes offers, and takes the first request ahead")?;
        }
        if *is_late {
            f.write_str("\n    sends an item after a cancel, if it owes one (rule 2.8)")?;
        }
        f.write_str("\n  consumer:")?;
        for action in actions {
            match action {
                Action::Request(u64::MAX) => f.write_str(" request(all)")?,
                Action::Request(n) => write!(f, " request({n})")?,
                Action::Await(nanos) => write!(f, " await({nanos} ns)")?,
                Action::Cancel => f.write_str(" cancel")?,
            }
        }
        f.write_str(" request(all)")?;
        if *first > 0 {
            write!(f, "\n    inside of on_subscribe it requests {first}")?;
        }
        if !inside.is_empty() {
            write!(f, "\n    inside of on_next it requests {inside:?}, item by item")?;
        }
        match stop {
            Stop::Not => Ok(()),
            Stop::CancelAtOnce => f.write_str("\n    cancels inside of on_subscribe"),
            Stop::CancelAt(n) => write!(f, "\n    cancels inside of item number {n}"),
            Stop::PanicAtOnce => f.write_str("\n    panics inside of on_subscribe"),
            Stop::PanicAt(n) => write!(f, "\n    panics inside of item number {n}"),
            Stop::PanicAtEnd => f.write_str("\n    panics inside of the end"),
        }
    }
}
