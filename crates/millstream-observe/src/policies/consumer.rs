//! What a consumer goes by: the sizes of its polls and batches, its lag, its workers and its pool.

use millstream_pressure::{
    BatchSizer, Lag, Policy as _, PollBound, PollSizer, PoolGate, Reason, Scaler,
};

use super::{reading_of, words};
use crate::{Bound, Condition, Observe, Reading, Usage, Value};

impl Observe for PollSizer {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let condition = match snapshot.bound {
            Some(PollBound::TimeLeft) => {
                let time = words(snapshot.service.unwrap_or_default());
                let reason = format!("an item takes {time}: fewer are polled, to be done in time");
                Condition::warning("short of time").because(reason)
            }
            Some(PollBound::Max) => Condition::normal("at the maximum"),
            Some(PollBound::Workers) => Condition::normal("as much as the workers can do"),
            Some(PollBound::Unmeasured) | None => Condition::normal("not measured"),
            Some(PollBound::Demand) => Condition::normal("as much as is asked for"),
        };
        let here = snapshot.in_flight.saturating_add(snapshot.reserved);
        let mut reading = Reading {
            condition,
            usage: Some(Usage::of(here, snapshot.target, "items")),
            // What it counts is held elsewhere.
            bound: Bound::NOTHING,
            ..reading_of(self, "poll_sizer")
        }
        .gauge("in_flight", snapshot.in_flight)
        .gauge("reserved", snapshot.reserved)
        .gauge("target", snapshot.target)
        .counter("polls", snapshot.polls)
        .counter("polls_at_max", snapshot.at_max)
        .counter("polled", snapshot.polled);
        if let Some(service) = snapshot.service {
            reading = reading.gauge("service_seconds", service);
        }
        reading
    }
}

impl Observe for BatchSizer {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        Reading { bound: Bound::NOTHING, ..reading_of(self, "batch_sizer") }
            .gauge("batch_size", self.snapshot().size)
    }
}

impl Observe for Lag {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let reason = || {
            let drained = match snapshot.time_to_drain {
                Some(time) => format!("worked off in {}", words(time)),
                None => "not being worked off".to_owned(),
            };
            format!("{} items behind, {drained}", snapshot.lag)
        };
        let condition = match (snapshot.parts, snapshot.is_stale) {
            (0, _) => Condition::normal("not reported"),
            (_, true) => Condition::warning("not reported for too long"),
            _ if snapshot.pressure >= 1.0 => {
                Condition::critical("too far behind").because(reason())
            }
            _ if snapshot.is_busy => Condition::warning("busy").because(reason()),
            _ if snapshot.lag > 0 => Condition::normal("behind").because(reason()),
            _ => Condition::normal("caught up"),
        };
        let usage = Usage {
            oldest_seconds: snapshot.oldest.map(|age| age.as_secs_f64()),
            ..Usage::of(snapshot.lag, self.config().max_lag, "items")
        };
        let mut reading = Reading {
            condition,
            usage: Some(usage),
            bound: Bound::NOTHING,
            ..reading_of(self, "lag")
        }
        .gauge("arrivals_per_second", snapshot.arrival)
        .gauge("done_per_second", snapshot.drain)
        .gauge("pressure_ratio", snapshot.pressure)
        .gauge("is_busy", snapshot.is_busy);
        if let Some(time) = snapshot.time_to_drain {
            reading = reading.gauge("time_to_drain_seconds", time);
        }
        if let Some((part, lag)) = snapshot.worst {
            reading.values.push(Value::gauge("worst_lag", lag).of_part(part));
        }
        reading
    }
}

impl Observe for Scaler {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let (workers, needed) = (snapshot.workers, snapshot.needed);
        let reason = || format!("{needed} workers are needed, and there are {workers}");
        let condition = if needed > workers && workers >= config.max {
            Condition::critical("at the most workers").because(reason())
        } else if needed > workers {
            Condition::warning("too few workers").because(reason())
        } else {
            Condition::normal("enough workers")
        };
        let mut reading =
            Reading { condition, bound: Bound::NOTHING, ..reading_of(self, "scaler") }
                .gauge("workers", u64::from(workers))
                .gauge("workers_needed", u64::from(needed))
                .counter("scale_outs", snapshot.outs)
                .counter("scale_ins", snapshot.ins);
        if let Some(capacity) = snapshot.capacity {
            reading = reading.gauge("worker_items_per_second", capacity);
        }
        reading
    }
}

impl Observe for PoolGate {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let n_timeouts = snapshot.balance.dropped(Reason::Timeout);
        let condition = if snapshot.waiting > 0 {
            let (n, time) = (snapshot.waiting, words(snapshot.p99_wait));
            let reason = format!("{n} wait; 99 of 100 waited less than {time} for a place");
            Condition::warning("callers wait").because(reason)
        } else if snapshot.in_use >= snapshot.size {
            Condition::normal("all in use")
        } else {
            Condition::normal("free")
        };
        let waiting = snapshot.waiting as u64;
        Reading {
            condition,
            usage: Some(Usage { waiting, ..Usage::of(snapshot.in_use, snapshot.size, "places") }),
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "pool_gate")
        }
        .gauge("median_wait_seconds", snapshot.median_wait)
        .gauge("p99_wait_seconds", snapshot.p99_wait)
        .gauge("longest_wait_seconds", snapshot.longest_wait)
        .counter("acquired", snapshot.acquired)
        .counter("wait_seconds", snapshot.waited)
        .times("queueing_seconds", snapshot.queueing)
        .counter("timeouts", n_timeouts)
    }
}
