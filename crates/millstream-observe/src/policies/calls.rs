//! What stands in front of calls: limits, breakers, bulkheads, shedders, retries and time-outs.

use millstream_pressure::{
    Breaker, BreakerMode, BreakerState, Bulkhead, ConcurrencyLimit, Hedge, Outcome, Policy as _,
    RetryBudget, Shedder, Throttler, TimeLimit,
};

use super::{percent, reading_of, words};
use crate::{Bound, Condition, Observe, Reading, Usage, Value};

impl Observe for ConcurrencyLimit {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let (limit, in_flight, waiting) = (snapshot.limit, snapshot.in_flight, snapshot.waiting);
        let condition = if snapshot.is_closed {
            Condition::normal("closed")
        } else if in_flight >= limit {
            let reason = format!("{in_flight} of {limit} calls are in flight, {waiting} wait");
            Condition::warning("at the limit").because(reason)
        } else {
            Condition::normal("below the limit")
        };
        let usage = Usage { waiting: waiting as u64, ..Usage::of(in_flight, limit, "calls") };
        let mut reading = Reading {
            condition,
            usage: Some(usage),
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "concurrency_limit")
        }
        .counter("successes", snapshot.ended(Outcome::Success))
        .counter("failures", snapshot.ended(Outcome::Failure))
        .counter("slow_calls", snapshot.ended(Outcome::Slow))
        .times("processing_seconds", snapshot.processing);
        reading.values.extend(
            snapshot
                .readings
                .iter()
                .map(|&(name, value)| Value::gauge(format!("algorithm_{name}"), value)),
        );
        for part in &snapshot.partitions {
            let name = || match part.name.as_str() {
                "" => "others".to_owned(),
                name => name.to_owned(),
            };
            reading.values.extend([
                Value::gauge("partition_limit", part.limit).of_part(name()),
                Value::gauge("partition_in_flight", part.in_flight).of_part(name()),
            ]);
        }
        reading
    }
}

impl Observe for Breaker {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let (calls, failures, slow) = (snapshot.calls, snapshot.failures, snapshot.slow);
        let results = || {
            let (failed, slow) = (percent(failures, calls), percent(slow, calls));
            format!("{failed} % of {calls} calls failed, {slow} % were slow")
        };
        let condition = match (snapshot.state, snapshot.mode) {
            (_, BreakerMode::ForcedOpen) => Condition::critical("open").because("opened by hand"),
            (BreakerState::Open { .. }, _) => Condition::critical("open").because(results()),
            (BreakerState::HalfOpen { issued }, _) => {
                Condition::warning("half open").because(format!("{issued} probes are out or back"))
            }
            (BreakerState::Closed, BreakerMode::Disabled) => Condition::normal("disabled"),
            (BreakerState::Closed, BreakerMode::MetricsOnly) => Condition::normal("metrics only"),
            (BreakerState::Closed, _) => Condition::normal("closed"),
        };
        let state = match snapshot.state {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen { .. } => 1.0,
            BreakerState::Open { .. } => 2.0,
        };
        Reading {
            condition,
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "breaker")
        }
        .gauge("breaker_state", state)
        .gauge("window_calls", calls)
        .gauge("window_failures", failures)
        .gauge("window_slow_calls", slow)
        .counter("openings", snapshot.n_opened)
        .counter("stale_results", snapshot.stale)
    }
}

impl Observe for Bulkhead {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let (keys, full) = (snapshot.keys, snapshot.full);
        let condition = if full > 0 {
            let reason = format!("{full} of {keys} compartments have no free place");
            Condition::warning("some full").because(reason)
        } else {
            Condition::normal("free")
        };
        let capacity = config.max_concurrent.saturating_mul(keys as u64);
        let waiting = snapshot.waiting as u64;
        let usage = Usage { waiting, ..Usage::of(snapshot.in_progress, capacity, "calls") };
        Reading {
            condition,
            usage: Some(usage),
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "bulkhead")
        }
        .gauge("keys", keys)
        .gauge("full_compartments", full)
        .counter("evicted_keys", snapshot.evicted)
    }
}

impl Observe for Shedder {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let condition = match snapshot.predicted {
            Some(delay)
                if delay.as_secs_f64() >= config.max_delay.as_secs_f64() * config.default =>
            {
                let (delay, max) = (words(delay), words(config.max_delay));
                let reason = format!("a call that is let in now will take {delay} of {max}");
                Condition::critical("shedding").because(reason)
            }
            Some(delay)
                if delay.as_secs_f64() >= config.max_delay.as_secs_f64() * config.sheddable =>
            {
                let (delay, max) = (words(delay), words(config.max_delay));
                let reason = format!("a call that is let in now will take {delay} of {max}");
                Condition::warning("shedding the sheddable").because(reason)
            }
            _ => Condition::normal("letting in"),
        };
        let mut reading = Reading {
            condition,
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "shedder")
        }
        .gauge("in_flight", snapshot.in_progress);
        if let Some(delay) = snapshot.predicted {
            reading = reading.gauge("predicted_delay_seconds", delay);
        }
        reading
    }
}

impl Observe for RetryBudget {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let (calls, retries) = (snapshot.calls_in_window, snapshot.retries_in_window);
        let by_time = config.min_per_second * config.window.as_secs_f64();
        let allowed = (calls as f64 * config.ratio).max(by_time) as u64;
        let condition = if retries > 0 && retries >= allowed {
            let reason = format!("{retries} retries for {calls} calls: further ones are refused");
            Condition::warning("used up").because(reason)
        } else {
            Condition::normal("available")
        };
        Reading {
            condition,
            usage: Some(Usage::of(retries, allowed, "retries")),
            bound: Bound::NOTHING,
            ..reading_of(self, "retry_budget")
        }
        .counter("calls", snapshot.n_calls)
        .counter("retries", snapshot.n_retries)
        .counter("refused_retries", snapshot.n_refused)
    }
}

impl Observe for Throttler {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let (requests, accepts) = (snapshot.requests, snapshot.accepts);
        let condition = if snapshot.refused > 0.0 {
            let share = (snapshot.refused * 100.0).round();
            let reason = format!(
                "{accepts} of {requests} requests were accepted: {share} % are refused here"
            );
            Condition::critical("throttling").because(reason)
        } else {
            Condition::normal("letting in")
        };
        Reading {
            condition,
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "throttler")
        }
        .gauge("refused_ratio", snapshot.refused)
        .gauge("window_calls", requests)
        .gauge("window_accepts", accepts)
    }
}

impl Observe for TimeLimit {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        Reading {
            condition: Condition::normal("watching"),
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "time_limit")
        }
        .gauge("in_flight", snapshot.balance.queued)
        .gauge("timeout_seconds", config.timeout)
    }
}

impl Observe for Hedge {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        Reading {
            condition: Condition::normal("watching"),
            bound: Bound::NOTHING,
            ..reading_of(self, "hedge")
        }
        .gauge("delay_seconds", snapshot.delay)
        .counter("calls", snapshot.n_calls)
        .counter("hedged_calls", snapshot.n_hedged)
        .counter("refused_hedges", snapshot.n_refused)
        .counter("won_hedges", snapshot.n_won)
    }
}
