//! Who has waited too long, and whether the newest is served first.

use std::time::Duration;

use super::config::Discipline;
use crate::Reason;

/// What a discipline remembers between two items.
#[derive(Debug, Default)]
pub(super) struct Delays {
    codel: Codel,
    controlled: Controlled,
    /// When the queue was last empty.
    empty_at: Duration,
}

impl Delays {
    pub(super) fn was_empty(&mut self, now: Duration) {
        self.empty_at = now;
        self.codel.first_above = None;
    }

    /// Returns whether the newest is served next.
    pub(super) fn newest_first(&self, discipline: Discipline, now: Duration) -> bool {
        match discipline {
            Discipline::AdaptiveLifo { interval, .. } => self.stands(now, interval),
            _ => false,
        }
    }

    fn stands(&self, now: Duration, interval: Duration) -> bool {
        now.saturating_sub(self.empty_at) >= interval
    }

    /// Whether an item that has waited for `waited` is dropped instead of being served, of which
    /// `is_last` is the last.
    pub(super) fn drops(
        &mut self,
        discipline: Discipline,
        waited: Duration,
        now: Duration,
        is_last: bool,
    ) -> Option<Reason> {
        let drops = match discipline {
            Discipline::Fifo => false,
            Discipline::Codel { target, interval } => {
                self.codel.drops(waited, now, target, interval, is_last)
            }
            Discipline::ControlledDelay { target, interval } => {
                self.controlled.drops(waited, now, target, interval)
            }
            Discipline::AdaptiveLifo { target, interval } => {
                waited > if self.stands(now, interval) { target } else { interval }
            }
        };
        drops.then_some(Reason::Delay)
    }
}

/// RFC 8289, section 5, in which an item that is dropped is followed by the next one.
#[derive(Debug, Default)]
struct Codel {
    /// When the wait will have been too long for an interval.
    first_above: Option<Duration>,
    drop_next: Duration,
    count: u32,
    last_count: u32,
    is_dropping: bool,
}

impl Codel {
    fn drops(
        &mut self,
        waited: Duration,
        now: Duration,
        target: Duration,
        interval: Duration,
        is_last: bool,
    ) -> bool {
        // A single item is no queue.
        let is_late = if waited < target || is_last {
            self.first_above = None;
            false
        } else {
            now >= *self.first_above.get_or_insert_with(|| now.saturating_add(interval))
        };
        if self.is_dropping {
            if !is_late {
                self.is_dropping = false;
                return false;
            }
            if now < self.drop_next {
                return false;
            }
            self.count += 1;
            self.drop_next = control_law(self.drop_next, interval, self.count);
            return true;
        }
        if !is_late {
            return false;
        }
        self.is_dropping = true;
        // Where it was dropping a while ago, it goes on at that rate.
        let delta = self.count - self.last_count;
        let was_recent = now.saturating_sub(self.drop_next) < interval * 16;
        self.count = if delta > 1 && was_recent { delta } else { 1 };
        self.last_count = self.count;
        self.drop_next = control_law(now, interval, self.count);
        true
    }
}

fn control_law(from: Duration, interval: Duration, count: u32) -> Duration {
    from.saturating_add(interval.div_f64(f64::from(count).sqrt()))
}

/// folly's `Codel`: the shortest wait in an interval says whether the next one drops.
#[derive(Debug, Default)]
struct Controlled {
    ends_at: Duration,
    shortest: Option<Duration>,
    is_overloaded: bool,
}

impl Controlled {
    fn drops(
        &mut self,
        waited: Duration,
        now: Duration,
        target: Duration,
        interval: Duration,
    ) -> bool {
        if now >= self.ends_at {
            self.is_overloaded = self.shortest.is_some_and(|shortest| shortest > target);
            self.ends_at = now.saturating_add(interval);
            // The first of an interval is served, and is what the others are compared with.
            self.shortest = Some(waited);
            return false;
        }
        self.shortest = Some(self.shortest.map_or(waited, |shortest| shortest.min(waited)));
        self.is_overloaded && waited > target.saturating_mul(2)
    }
}
