//! Whether somebody would notice, and knows what to do.

use std::time::Duration;

use super::{Answer, Item, acknowledges, by_hand, holds, unless_any};
use crate::Spec;

pub(super) const ITEMS: &[Item] = &[
    ("operation", "alerts come before harm does", alerts),
    ("operation", "counters are read often enough to see a trend", interval),
    ("operation", "latency is measured from end to end", latency),
    ("operation", "liveness and readiness are two answers", health),
    ("operation", "a stop loses nothing", stop),
    ("operation", "settings change without a restart", reload),
    ("operation", "the lag of the broker is watched by its trend", lag),
    ("operation", "overload was tried before it came", load_test),
    ("operation", "failures of what it depends on were tried", failures),
    ("operation", "somebody knows what to do at three in the morning", runbook),
];

fn alerts(spec: &Spec) -> Answer {
    let thresholds = &spec.monitoring.alert_thresholds;
    let mut reasons = Vec::new();
    let mut at_most = |name: &str, value: f64, most: f64| {
        if value > most {
            reasons.push(format!(
                "monitoring.alert_thresholds.{name} is {value}: at most {most} leaves time to act"
            ));
        }
    };
    at_most("queue_depth", thresholds.queue_depth.0, 0.9);
    at_most("drop_rate", thresholds.drop_rate.0, 0.01);
    let blocked = thresholds.blocked_time.0;
    if blocked > Duration::from_secs(5) {
        reasons.push(format!(
            "monitoring.alert_thresholds.blocked_time is {blocked:?}: at most 5s leaves time to act"
        ));
    }
    unless_any(reasons, "depth at 0.9, drops at 0.01 and 5 s of standing still at the latest")
}

fn interval(spec: &Spec) -> Answer {
    let interval = spec.monitoring.metrics_interval.0;
    let reasons = (interval > Duration::from_secs(60)).then(|| {
        format!("monitoring.metrics_interval is {interval:?}: a minute at most shows a trend")
    });
    unless_any(reasons.into_iter().collect(), format!("each {interval:?}, and at every scrape"))
}

fn latency(_: &Spec) -> Answer {
    holds("p50, p99 and the longest time from source to sink are in the summary and on the page")
}

fn health(_: &Spec) -> Answer {
    by_hand(
        "`millstream run` answers `/livez`, `/readyz` and `/metrics` on its page, or with \
         `--metrics ADDRESS:PORT` alone: does your platform ask both, and not restart what is \
         only busy?",
    )
}

fn stop(spec: &Spec) -> Answer {
    let rest = if acknowledges(&spec.source) {
        "what does not arrive in that time is delivered again"
    } else {
        "what does not arrive in that time is lost, and the exit code says so"
    };
    holds(format!("SIGTERM stops the source, and what is on its way has `--drain`; {rest}"))
}

fn reload(_: &Spec) -> Answer {
    holds(
        "a change of the file or SIGHUP is taken over without losing an item, or refused with the \
         reason",
    )
}

fn lag(spec: &Spec) -> Answer {
    if acknowledges(&spec.source) {
        by_hand("the server knows how many items wait: is there an alert on its slope?")
    } else {
        holds("the source has no broker")
    }
}

fn load_test(_: &Spec) -> Answer {
    by_hand(
        "`millstream simulate FILE --arrivals TRACE` plays recorded arrivals, and `generate` with \
         `shape: { burst: .. }` sends them: what happens at four times the usual load?",
    )
}

fn failures(_: &Spec) -> Answer {
    by_hand(
        "stop the sink's server for a minute, and then the source's: does the pipeline go on by \
         itself, and is nothing missing?",
    )
}

fn runbook(_: &Spec) -> Answer {
    by_hand(
        "is there a page that says what each alert means, whom to call, and which setting to \
         change? `millstream doctor FILE` is a beginning",
    )
}
