//! A trace in two lanes: what the publisher does on the left, what the subscriber does on the
//! right.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::trace::{Answer, Call, Event, Phase, kind_name};

/// How many events a message shows.
pub(crate) const SHOWN: usize = 40;
/// How many of them come after the one that breaks the rule.
const AFTER: usize = 5;
const LANE: usize = 30;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Publisher,
    Subscriber,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The index of its event in the trace.
    pub(crate) at: usize,
    pub(crate) subscription: u32,
    pub(crate) thread: u32,
    pub(crate) lane: Lane,
    pub(crate) text: String,
    /// The rules that it shows to be broken.
    pub(crate) breaks: Vec<String>,
}

/// The rows of a trace, as indices of their events. A call that returns at once takes one row.
fn places(trace: &[Event], broken: &BTreeMap<usize, Vec<&str>>) -> Vec<(usize, bool)> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(event) = trace.get(at) {
        let returns_at_once = |next: &Event| {
            next.phase == Phase::Returned
                && (next.subscription, next.thread) == (event.subscription, event.thread)
                && is_same_call(next.call, event.call)
        };
        let merged = event.phase == Phase::Made
            && trace.get(at + 1).is_some_and(returns_at_once)
            && !broken.contains_key(&(at + 1));
        places.push((at, merged));
        at += 1 + usize::from(merged);
    }
    places
}

/// The broken rules by the event that shows them.
fn by_event<'a>(broken: &[(usize, &'a str)]) -> BTreeMap<usize, Vec<&'a str>> {
    let mut by_event: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (at, rule) in broken {
        by_event.entry(*at).or_default().push(rule);
    }
    by_event
}

fn row(trace: &[Event], (at, merged): (usize, bool), broken: &BTreeMap<usize, Vec<&str>>) -> Row {
    let event = &trace[at];
    let shown = &trace[at + usize::from(merged)];
    Row {
        at,
        subscription: event.subscription,
        thread: event.thread,
        lane: lane(event),
        text: text(event, shown, merged),
        breaks: broken.get(&at).into_iter().flatten().map(|rule| (*rule).to_owned()).collect(),
    }
}

/// The rows of a trace. A call that returns at once takes one row.
#[cfg(feature = "cli")]
pub(crate) fn rows(trace: &[Event], broken: &[(usize, &str)]) -> Vec<Row> {
    let broken = by_event(broken);
    places(trace, &broken).into_iter().map(|place| row(trace, place, &broken)).collect()
}

fn is_same_call(one: Call, other: Call) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

fn lane(event: &Event) -> Lane {
    let by_subscriber = match event.call {
        // The drop of the subscriber is the publisher's doing.
        Call::Drop => return Lane::Publisher,
        Call::Report(_) | Call::Release => return Lane::Subscriber,
        Call::Subscribe | Call::Request(_) | Call::Cancel => true,
        _ => false,
    };
    match by_subscriber == (event.phase == Phase::Made) {
        true => Lane::Subscriber,
        false => Lane::Publisher,
    }
}

fn text(event: &Event, shown: &Event, merged: bool) -> String {
    let mut text = match shown.call {
        Call::OnNext(_) => event.call.name().to_owned(),
        Call::OnError(kind) => match kind_name(kind) {
            Some(kind) => format!("on_error {}", kind.replace('_', " ")),
            None => "on_error".to_owned(),
        },
        _ => {
            // What stands behind subscription, thread and mark.
            let line = Event { item: None, ..*shown }.to_string();
            line.splitn(4, ' ').nth(3).unwrap_or_default().to_owned()
        }
    };
    if let Some(item) = event.item {
        let _ok = write!(text, " #{item}");
    }
    text.push_str(match (shown.call, shown.phase) {
        (call, _) if call.is_moment() => "",
        (Call::OnNext(Answer::Skipped), Phase::Returned) => ", skipped",
        (Call::OnNext(Answer::Finished), Phase::Returned) => ", finished",
        (_, Phase::Made) => " …",
        (_, Phase::Returned) if merged => "",
        (_, Phase::Returned) => " returned",
        (_, Phase::Late) => " returned late",
        (_, Phase::Panicked) => " PANICKED",
    });
    text
}

/// The part of the timeline around the first broken rule, or its end.
pub(crate) fn text_of(trace: &[Event], broken: &[(usize, &str)]) -> String {
    let broken_at = by_event(broken);
    // Only what is shown is written out: a trace may have a million events.
    let rows = places(trace, &broken_at);
    let threads = trace.iter().any(|event| event.thread != trace[0].thread);
    let subscriptions = trace.iter().any(|event| event.subscription != trace[0].subscription);
    let first = broken.iter().map(|(at, _)| *at).min().unwrap_or(trace.len());
    let shown_from = rows.partition_point(|(at, _)| *at < first);
    let end = rows.len().min(shown_from.saturating_add(AFTER + 1));
    let begin = end.saturating_sub(SHOWN);
    let mut out = String::new();
    let mut prefix = format!("{:>7} ", "event");
    if threads {
        prefix.push_str(" thread ");
    }
    if subscriptions {
        prefix.push_str(" subscription ");
    }
    let _ok = writeln!(out, "{prefix} {:LANE$}│ subscriber", "publisher");
    let blank = " ".repeat(prefix.chars().count());
    if begin > 0 {
        let _ok = writeln!(out, "{blank} … {begin} earlier");
    }
    for place in &rows[begin..end] {
        let row = row(trace, *place, &broken_at);
        let mut line = format!("{:>7} ", row.at);
        if threads {
            let _ok = write!(line, " {:>6} ", row.thread);
        }
        if subscriptions {
            let _ok = write!(line, " {:>12} ", row.subscription);
        }
        let _ok = match row.lane {
            Lane::Publisher => write!(line, " {:LANE$}│", row.text),
            Lane::Subscriber => write!(line, " {:LANE$}│ {}", "", row.text),
        };
        for rule in &row.breaks {
            let _ok = write!(line, "   ◀ breaks {rule}");
        }
        let _ok = writeln!(out, "{}", line.trim_end());
    }
    if end < rows.len() {
        let _ok = writeln!(out, "{blank} … {} later", rows.len() - end);
    }
    let missing: Vec<_> = broken.iter().filter(|(at, _)| *at >= trace.len()).collect();
    if end == rows.len() && !missing.is_empty() {
        let _ok = write!(out, "{:>7} {} the end", trace.len(), &blank[8..]);
        for (_, rule) in missing {
            let _ok = write!(out, "   ◀ breaks {rule}");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::parse;

    fn drawn(trace: &str, broken: &[(usize, &str)]) -> String {
        text_of(&parse(trace).unwrap(), broken)
    }

    #[test]
    fn each_call_stands_in_the_lane_of_who_acts() {
        let trace = "1 0 > subscribe\n1 0 > on_subscribe\n1 0 > request 2\n1 0 < request 2\n\
                     1 0 < on_subscribe\n1 0 < subscribe\n1 0 > on_next #7\n1 0 < on_next skipped\n\
                     1 0 > on_next\n1 0 ! on_next\n1 0 > cancel\n1 0 ~ cancel\n1 0 > drop\n\
                     1 0 > on_error invalid_data\n1 0 < on_error invalid_data\n";
        assert_eq!(
            drawn(trace, &[(8, "1.1"), (15, "3.13")]),
            "  event  publisher                     │ subscriber
      0                                │ subscribe …
      1  on_subscribe …                │
      2                                │ request 2
      4                                │ on_subscribe returned
      5  subscribe returned            │
      6  on_next #7, skipped           │
      8  on_next …                     │   ◀ breaks 1.1
      9                                │ on_next PANICKED
     10                                │ cancel …
     11  cancel returned late          │
     12  drop                          │
     13  on_error invalid data         │
     15  the end   ◀ breaks 3.13
"
        );
    }

    #[test]
    fn threads_and_subscriptions_are_numbered_when_there_are_several() {
        let trace = "1 0 > on_next\n2 1 > on_next\n1 0 < on_next\n2 1 < on_next\n";
        assert_eq!(
            drawn(trace, &[]),
            "  event  thread  subscription  publisher                     │ subscriber
      0       0             1  on_next …                     │
      1       1             2  on_next …                     │
      2       0             1                                │ on_next returned
      3       1             2                                │ on_next returned
"
        );
    }

    #[test]
    fn a_flood_of_violations_is_told_in_no_time() {
        let trace = parse(&"1 0 > on_next\n1 0 < on_next\n".repeat(100_000)).unwrap();
        let broken: Vec<_> = (0..100_000).map(|index| (2 * index, "1.1")).collect();
        // Each event against each violation would be 2 * 10^10 steps.
        assert_eq!(text_of(&trace, &broken).lines().count(), AFTER + 3);
    }

    #[test]
    fn a_long_trace_is_shown_around_what_breaks_the_rule() {
        let trace = "1 0 > on_next\n1 0 < on_next\n".repeat(100);
        let text = drawn(&trace, &[(120, "1.1")]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), SHOWN + 3);
        assert_eq!(lines[1], "         … 26 earlier");
        assert_eq!(
            lines[42 - AFTER - 1],
            "    120  on_next                       │   ◀ breaks 1.1"
        );
        assert_eq!(lines[42], "         … 34 later");
    }
}
