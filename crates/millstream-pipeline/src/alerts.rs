//! Says when something is out of the ordinary, by the thresholds of a pipeline's file.

use std::{collections::BTreeSet, time::Duration};

use crate::{AlertThresholds, Handle, Status};

/// Looks at a pipeline from time to time, and says what has gone out of the ordinary since, and
/// what has gone back.
#[derive(Debug, Default)]
pub struct Alerts {
    active: BTreeSet<Cause>,
    before: Option<Status>,
    /// How many items had left queues.
    delivered: u64,
    /// Since when nothing has left a queue although items wait.
    blocked_since: Option<Duration>,
}

/// Why something is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Queue(String),
    Drops,
    Blocked,
}

impl Alerts {
    /// Has said nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A line for each thing that has changed since it was last called.
    pub fn look(&mut self, handle: &Handle) -> Vec<String> {
        let thresholds = handle.spec().monitoring.alert_thresholds;
        let status = handle.status();
        let mut lines = Vec::new();
        for (name, fill) in handle.queue_fills() {
            let is_deep = fill >= thresholds.queue_depth.0;
            let text = format!("queue {name} is {:.0} % full", 100.0 * fill);
            self.note(Cause::Queue(name), is_deep, &text, &mut lines);
        }
        if let Some(before) = &self.before {
            let dropped = status.dropped - before.dropped;
            let taken = (status.taken - before.taken).max(dropped);
            let share = if taken == 0 { 0.0 } else { dropped as f64 / taken as f64 };
            let text = format!("{:.1} % of the items are dropped", 100.0 * share);
            let is_high = dropped > 0 && share >= thresholds.drop_rate.0;
            self.note(Cause::Drops, is_high, &text, &mut lines);
        }
        let delivered = handle.queues_have_delivered();
        let has_moved = self.before.is_none() || delivered != self.delivered;
        self.delivered = delivered;
        self.blocked(&status, &thresholds, has_moved, &mut lines);
        self.before = Some(status);
        lines
    }

    fn blocked(
        &mut self,
        status: &Status,
        thresholds: &AlertThresholds,
        has_moved: bool,
        lines: &mut Vec<String>,
    ) {
        if has_moved || status.waiting == 0 {
            self.blocked_since = None;
        }
        let since = match self.blocked_since {
            None if has_moved || status.waiting == 0 => None,
            None => {
                self.blocked_since = Some(status.elapsed);
                Some(status.elapsed)
            }
            since => since,
        };
        let time = since.map_or(Duration::ZERO, |since| status.elapsed.saturating_sub(since));
        let text = format!(
            "nothing has left a queue for {:.0} s while {} items wait",
            time.as_secs_f64(),
            status.waiting
        );
        self.note(Cause::Blocked, time >= thresholds.blocked_time.0, &text, lines);
    }

    fn note(&mut self, cause: Cause, is_so: bool, text: &str, lines: &mut Vec<String>) {
        if is_so && !self.active.contains(&cause) {
            lines.push(format!("warning: {text}"));
            self.active.insert(cause);
        } else if !is_so && self.active.remove(&cause) {
            let what = match cause {
                Cause::Queue(name) => format!("queue {name} has room again"),
                Cause::Drops => "no more items are dropped than allowed".to_owned(),
                Cause::Blocked => "items leave queues again".to_owned(),
            };
            lines.push(format!("recovered: {what}"));
        }
    }
}
