//! How many deliveries the broker may send by itself.
//!
//! AMQP 0-9-1 has no credit: a consumer has a prefetch, which is the most deliveries that are
//! unacknowledged, and each acknowledgement lets the broker send one more. So demand is followed in
//! steps: a consumer is replaced by one with another prefetch, and what the former consumer has
//! delivered does not count for the new one.
//!
//! ```text
//!                    demand comes                      a few times as much demand,
//!   ┌──────────────┐ ────────────▶ ┌─────────────────┐ or no room left
//!   │ NO CONSUMER  │               │ CONSUMER        │ ⟲ replaced, prefetch = demand
//!   └──────────────┘ ◀──────────── └─────────────────┘
//!                    an acknowledgement has waited for demand in vain
//! ```
//!
//! # Invariants
//!
//! 1. The room of the present consumer, which is its prefetch less what it has delivered and was
//!    not settled, is what the broker may send without hearing anything.
//! 2. Room is at most the demand: what was asked for and was not delivered. A settlement that would
//!    break this waits, or the consumer is canceled before.
//! 3. The tags of the present consumer are from `first` on.

/// By how much demand has to exceed room for another step while there is room.
const STEP: u64 = 4;

#[derive(Debug)]
pub(super) struct Window {
    /// The most deliveries that are not settled.
    max: u64,
    consumer: Option<Present>,
}

#[derive(Debug)]
struct Present {
    first: u64,
    prefetch: u64,
    delivered: u64,
    settled: u64,
}

impl Present {
    const fn room(&self) -> u64 {
        (self.prefetch + self.settled).saturating_sub(self.delivered)
    }
}

impl Window {
    pub(super) const fn new(max: u16) -> Self {
        Self { max: max as u64, consumer: None }
    }

    /// How many deliveries the broker may send by itself.
    pub(super) fn room(&self) -> u64 {
        self.consumer.as_ref().map_or(0, Present::room)
    }

    /// The present consumer has delivered one.
    pub(super) const fn delivered(&mut self) {
        if let Some(present) = &mut self.consumer {
            present.delivered += 1;
        }
    }

    /// The prefetch of the consumer that is to take the place of the present one, if that is worth
    /// it. What the present one may still deliver is within `demand`, also while it is replaced.
    pub(super) fn step(&self, demand: u64, unsettled: u64) -> Option<u16> {
        let (room, free) = (self.room(), self.max.saturating_sub(unsettled));
        let more = demand.min(free).saturating_sub(room);
        let is_worth_it = more > 0 && (room == 0 || demand.min(free) >= room * STEP);
        is_worth_it.then(|| u16::try_from(more).unwrap_or(u16::MAX))
    }

    /// A consumer with this prefetch has taken the place of the former; its tags begin at `first`.
    pub(super) const fn replaced(&mut self, prefetch: u16, first: u64) {
        let prefetch = prefetch as u64;
        self.consumer = Some(Present { first, prefetch, delivered: 0, settled: 0 });
    }

    /// There is no consumer any more.
    pub(super) const fn canceled(&mut self) {
        self.consumer = None;
    }

    /// Settles a delivery, unless the broker would send another one for it that nobody has asked
    /// for.
    #[must_use]
    pub(super) fn settle(&mut self, tag: u64, demand: u64) -> bool {
        match &mut self.consumer {
            Some(present) if tag >= present.first => {
                let is_within = present.room() < demand;
                present.settled += u64::from(is_within);
                is_within
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::Window;

    /// What RabbitMQ does with prefetches, and what a flow asks of it.
    #[derive(Default)]
    struct Broker {
        /// By consumer: its prefetch, and what is unacknowledged.
        consumers: BTreeMap<u64, (u64, BTreeSet<u64>)>,
        present: Option<u64>,
        n_sent: u64,
    }

    impl Broker {
        /// Sends as many as it may, at most `n`.
        fn send(&mut self, n: u64) -> Vec<u64> {
            let mut tags = Vec::new();
            let Some(present) = self.present else { return tags };
            let (prefetch, unacknowledged) = self.consumers.get_mut(&present).unwrap();
            while (unacknowledged.len() as u64) < *prefetch && (tags.len() as u64) < n {
                self.n_sent += 1;
                unacknowledged.insert(self.n_sent);
                tags.push(self.n_sent);
            }
            tags
        }

        fn consume(&mut self, prefetch: u64) {
            let id = self.consumers.len() as u64;
            self.consumers.insert(id, (prefetch, BTreeSet::new()));
            self.present = Some(id);
        }

        fn settle(&mut self, tag: u64) {
            assert!(self.consumers.values_mut().any(|(_, tags)| tags.remove(&tag)), "{tag}");
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask(u64),
        Settle(usize),
        Send(u64),
        GiveUp,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1_u64..40).prop_map(Step::Ask),
            (0_usize..100).prop_map(Step::Settle),
            (0_u64..9).prop_map(Step::Send),
            Just(Step::GiveUp),
        ]
    }

    proptest! {
        #[test]
        fn never_more_is_sent_than_was_asked_for(
            steps in prop::collection::vec(step(), 1..300),
            max in 1_u16..50,
        ) {
            let (mut broker, mut window) = (Broker::default(), Window::new(max));
            let (mut asked, mut held) = (0, Vec::new());
            let (mut open, mut waiting) = (BTreeSet::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Ask(n) => asked += n,
                    Step::Settle(nth) if !held.is_empty() => {
                        waiting.push(held.swap_remove(nth % held.len()));
                    }
                    Step::Send(n) => {
                        for tag in broker.send(n) {
                            window.delivered();
                            held.push(tag);
                            open.insert(tag);
                        }
                    }
                    Step::GiveUp if !waiting.is_empty() => {
                        broker.present = None;
                        window.canceled();
                    }
                    Step::Settle(_) | Step::GiveUp => {}
                }
                waiting.retain(|tag| {
                    let settles = window.settle(*tag, asked - broker.n_sent);
                    if settles {
                        broker.settle(*tag);
                        open.remove(tag);
                    }
                    !settles
                });
                if let Some(prefetch) = window.step(asked - broker.n_sent, open.len() as u64) {
                    broker.consume(prefetch.into());
                    window.replaced(prefetch, broker.n_sent + 1);
                }
                let may_send = asked - broker.n_sent;
                prop_assert!(window.room() <= may_send, "{window:?} of {may_send}");
                prop_assert!(open.len() <= usize::from(max));
            }
            // Whatever was asked for comes, unless as many are unsettled as may be.
            let sent = broker.send(u64::MAX).len() as u64;
            prop_assert!(
                sent > 0 || asked == broker.n_sent || open.len() == usize::from(max),
                "{window:?}"
            );
        }
    }

    #[test]
    fn demand_that_keeps_pace_with_acknowledgements_keeps_its_consumer() {
        let mut window = Window::new(1_000);
        assert_eq!(window.step(8, 0), Some(8));
        window.replaced(8, 1);
        for tag in 1..=100 {
            window.delivered();
            assert!(window.settle(tag, 8));
            assert_eq!(window.step(8, 0), None, "{tag}");
        }
        assert_eq!(window.step(31, 0), None);
        assert_eq!(window.step(32, 0), Some(24));
    }

    #[test]
    fn without_demand_an_acknowledgement_waits() {
        let mut window = Window::new(1_000);
        window.replaced(1, 1);
        window.delivered();
        assert!(!window.settle(1, 0));
        assert!(window.settle(1, 1));
        window.delivered();
        window.canceled();
        assert!(window.settle(2, 0), "there is nobody to send to");
    }
}
