//! Recorded arrivals: when something came, and what it was.

use std::time::Duration;

use jiff::Timestamp;
use millstream::{MissedTick, interval, scheduler::Worker};
use serde_json::{Value, json};

use crate::{assemble::Runner, record::Record, source::Stream};

/// How often it looks at what is due.
const TICK: Duration = Duration::from_millis(2);

/// Recorded arrivals, by their moments.
///
/// ```
/// use millstream_pipeline::Trace;
///
/// let trace = Trace::parse("0.5 {\"user\":1}\n0.75 {\"user\":2}\n")?;
/// assert_eq!((trace.len(), trace.lasts().as_secs_f64()), (2, 0.25));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// How long after the first one each came, and what it was.
    items: Vec<(Duration, Value)>,
}

impl Trace {
    /// A line for each arrival: its moment, in seconds or as a timestamp such as
    /// `2026-11-30T18:00:00.25Z`, and behind a blank the item, if it matters. The first moment is
    /// the beginning.
    ///
    /// # Errors
    ///
    /// A line has no moment, or one before that of the line above; there are no lines.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut items: Vec<(Duration, Value)> = Vec::new();
        let mut first = None;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (moment, item) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let wrong = |why: &str| format!("line {}: `{moment}` {why}", index + 1);
            let moment = seconds(moment)
                .ok_or_else(|| wrong("is no moment: write seconds, or a timestamp"))?;
            let since = moment - *first.get_or_insert(moment);
            let at = Duration::try_from_secs_f64(since)
                .ok()
                .filter(|at| items.last().is_none_or(|(before, _)| before <= at))
                .ok_or_else(|| wrong("is before the line above"))?;
            let item = match item {
                "" => json!({ "n": items.len(), "time": moment }),
                item => item.into(),
            };
            items.push((at, item));
        }
        if items.is_empty() { Err("there are no arrivals".to_owned()) } else { Ok(Self { items }) }
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// From the first to the last.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.items.last().map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// How many have come by then.
    pub(super) fn until(&self, elapsed: Duration) -> usize {
        self.items.partition_point(|(at, _)| *at <= elapsed)
    }

    /// They come at their moments, whether they are asked for or not.
    pub(super) fn flow(&self, runner: &Runner, clock: &Worker) -> Stream {
        let mut items = self.items.clone().into_iter().peekable();
        let clock = clock.clone();
        let start = clock.now();
        let due = interval(runner, TICK, MissedTick::Skip).scan((), move |(), _| {
            items.peek()?;
            let elapsed = clock.now().saturating_sub(start);
            let mut due = Vec::new();
            while let Some((at, value)) = items.next_if(|(at, _)| *at <= elapsed) {
                due.push(Record::new(value, start + at));
            }
            Some(due)
        });
        due.flat_map_iter(|due| due).boxed()
    }
}

fn seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let timestamp: Timestamp = text.parse().ok()?;
    Some(timestamp.as_second() as f64 + f64::from(timestamp.subsec_nanosecond()) / 1e9)
}

#[test]
fn a_trace_has_moments_in_order_and_items_if_they_matter() {
    let trace = Trace::parse("2026-11-30T18:00:00Z\n2026-11-30T18:00:01.5Z GET /a\n").unwrap();
    assert_eq!((trace.len(), trace.lasts()), (2, Duration::from_millis(1_500)));
    assert_eq!(trace.items[1].1, json!("GET /a"));
    assert_eq!((trace.until(Duration::ZERO), trace.until(Duration::from_secs(2))), (1, 2));
    let says = |text: &str, part: &str| {
        let error = Trace::parse(text).unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    says("", "no arrivals");
    says("5\n4\n", "line 2: `4` is before");
    says("soon\n", "line 1: `soon` is no moment");
    says("NaN\n", "is no moment");
}
