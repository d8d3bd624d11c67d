//! `Turns`: which lane is served next.
//!
//! Within a tier, deficit round robin (Shreedhar and Varghese, SIGCOMM 1995) in the form that
//! charges an item after it was served ("surplus round robin", Adiseshu and others, SIGCOMM 1996),
//! since a lane's next item is not looked at before it is taken: a lane is served until its balance
//! is used up, may overdraw it by one item, and pays that back in later rounds. Between the tiers,
//! strict lanes come first, and each thing that they get adds to what the others are owed.

use super::config::LanesConfig;

/// The most lanes.
pub(super) const MAX_LANES: usize = 256;

#[derive(Debug)]
pub(super) struct Turns {
    lanes: Vec<Lane>,
    /// The next lane of each tier: of those that are not strict, and of those that are.
    next: [usize; 2],
    floor: f64,
    /// What the lanes that are not strict are owed, at most one item of the dearest kind yet.
    owed: f64,
    dearest: f64,
}

#[derive(Clone, Copy, Debug)]
struct Lane {
    weight: f64,
    is_strict: bool,
    balance: f64,
}

impl Turns {
    pub(super) fn new(config: &LanesConfig) -> Self {
        let mut turns =
            Self { lanes: Vec::new(), next: [0; 2], floor: 0.0, owed: 0.0, dearest: 1.0 };
        turns.set(config);
        turns
    }

    /// Takes over weights and floor. The balances stay.
    pub(super) fn set(&mut self, config: &LanesConfig) {
        let balances: Vec<f64> = self.lanes.iter().map(|lane| lane.balance).collect();
        let lanes = config.lanes.iter().enumerate().map(|(index, lane)| Lane {
            weight: f64::from(lane.weight),
            is_strict: lane.is_strict,
            balance: balances.get(index).copied().unwrap_or(0.0),
        });
        self.lanes = lanes.collect();
        self.floor = config.floor;
    }

    /// The lane that is served next, of those that have an item.
    pub(super) fn pick(&mut self, mut has_item: impl FnMut(usize) -> bool) -> Option<usize> {
        // What is owed is paid first, if there is anything to pay for.
        if self.owed >= 1.0 || self.floor >= 1.0 {
            if let Some(index) = self.pick_in_tier(false, &mut has_item) {
                return Some(index);
            }
            self.owed = 0.0;
        }
        let strict = self.pick_in_tier(true, &mut has_item);
        strict.or_else(|| self.pick_in_tier(false, &mut has_item))
    }

    /// An item of a lane was served. One that weighs nothing is one item.
    pub(super) fn charge(&mut self, index: usize, weight: u64) {
        let cost = weight.max(1) as f64;
        self.dearest = self.dearest.max(cost);
        let lane = &mut self.lanes[index];
        lane.balance -= cost;
        if lane.is_strict {
            let owed = self.owed + cost * self.floor / (1.0 - self.floor).max(f64::EPSILON);
            self.owed = owed.min(self.dearest);
        } else if self.owed >= 1.0 {
            self.owed = (self.owed - cost).max(-self.dearest);
        }
    }

    fn pick_in_tier(
        &mut self,
        is_strict: bool,
        has_item: &mut impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let n = self.lanes.len();
        // Lanes where nothing waits, by their bits.
        let mut empty = [0_u64; MAX_LANES / 64];
        loop {
            for _ in 0..n {
                let index = self.next[usize::from(is_strict)] % n;
                let lane = &mut self.lanes[index];
                let bit = 1 << (index % 64);
                let is_empty = empty[index / 64] & bit != 0;
                if lane.is_strict == is_strict && !is_empty && lane.balance > 0.0 {
                    if has_item(index) {
                        return Some(index);
                    }
                    // What it did not use is not saved up.
                    lane.balance = 0.0;
                    empty[index / 64] |= bit;
                }
                let next = (index + 1) % n;
                self.next[usize::from(is_strict)] = next;
                if self.lanes[next].is_strict == is_strict {
                    self.lanes[next].balance += self.lanes[next].weight;
                }
            }
            // Rounds in which nobody would be served, at once.
            let may_wait = |(index, lane): &(usize, &mut Lane)| {
                lane.is_strict == is_strict && empty[index / 64] & (1 << (index % 64)) == 0
            };
            let lanes = self.lanes.iter_mut().enumerate().filter(may_wait);
            let n_rounds = lanes.map(|(_, lane)| -lane.balance / lane.weight).reduce(f64::min)?;
            let n_rounds = n_rounds.floor().max(0.0);
            for (_, lane) in self.lanes.iter_mut().enumerate().filter(may_wait) {
                lane.balance += n_rounds * lane.weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LaneConfig;

    /// How many of `n` items each lane gets, whose items have these costs; `None` has none.
    fn shares<const N: usize>(config: &LanesConfig, costs: [Option<u64>; N], n: usize) -> [u64; N] {
        let mut turns = Turns::new(config);
        let mut served = [0; N];
        for _ in 0..n {
            let Some(index) = turns.pick(|index| costs[index].is_some()) else { break };
            turns.charge(index, costs[index].unwrap_or(0));
            served[index] += 1;
        }
        served
    }

    fn config<const N: usize>(weights: [u32; N], floor: f64) -> LanesConfig {
        let lane = |(index, weight): (usize, u32)| match weight {
            0 => LaneConfig::strict(index.to_string()),
            weight => LaneConfig::new(index.to_string(), weight),
        };
        LanesConfig { lanes: weights.into_iter().enumerate().map(lane).collect(), floor }
    }

    #[test]
    fn lanes_are_served_by_their_weights() {
        assert_eq!(shares(&config([1, 2, 5], 0.0), [Some(1); 3], 8_000), [1_000, 2_000, 5_000]);
        assert_eq!(shares(&config([1, 2, 5], 0.0), [Some(1), None, Some(1)], 600), [100, 0, 500]);
        // Costs count, and not items.
        let served = shares(&config([1, 1], 0.0), [Some(1_000_000), Some(1)], 1_000_001);
        assert!(served[0].abs_diff(1) <= 1, "{served:?}");
    }

    #[test]
    fn strict_lanes_come_first_and_the_others_keep_their_floor() {
        assert_eq!(shares(&config([0, 1], 0.0), [Some(1); 2], 100), [100, 0]);
        let served = shares(&config([0, 1, 3], 0.2), [Some(1); 3], 10_000);
        assert_eq!(served, [8_000, 500, 1_500]);
        let served = shares(&config([0, 1], 0.1), [Some(3), Some(7)], 10_000);
        let share = (served[1] * 7) as f64 / (served[0] * 3 + served[1] * 7) as f64;
        assert!((0.099..0.101).contains(&share), "{share}");
        assert_eq!(shares(&config([0, 1], 0.1), [None, Some(7)], 100), [0, 100]);
        assert_eq!(shares(&config([0, 1], 1.0), [Some(1); 2], 100), [0, 100]);
    }

    #[test]
    fn a_lane_that_was_idle_gets_no_more_than_its_share() {
        let mut turns = Turns::new(&config([1, 1], 0.0));
        let mut serve = |has_item: fn(usize) -> bool| {
            let index = turns.pick(has_item).unwrap_or(0);
            turns.charge(index, 1);
            index
        };
        (0..1_000).for_each(|_| assert_eq!(serve(|index| index == 0), 0));
        let mut served = [0_usize; 2];
        (0..100).for_each(|_| served[serve(|_| true)] += 1);
        assert!(served[0].abs_diff(served[1]) <= 2, "{served:?}");
    }

    #[test]
    fn nothing_is_served_where_nothing_waits() {
        assert_eq!(shares(&config([0, 1, 2], 0.5), [None; 3], 10), [0; 3]);
    }
}
