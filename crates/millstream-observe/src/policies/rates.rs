//! Limits of rate, adaptive and by key.

use millstream_pressure::{AdaptiveRate, KeyedRate, Policy as _, RateLimit};

use super::{reading_of, words};
use crate::{Bound, Condition, Observe, Reading, Usage};

impl Observe for RateLimit {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let condition = if snapshot.has_waiting {
            Condition::warning("waiting")
                .because(format!("more than {} a second come", config.rate))
        } else {
            Condition::normal("free")
        };
        let used = snapshot.burst.saturating_sub(snapshot.free);
        Reading {
            condition,
            usage: Some(Usage::of(used, snapshot.burst, "cells")),
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "rate")
        }
        .gauge("rate_per_second", config.rate)
    }
}

impl Observe for AdaptiveRate {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let rate = snapshot.rate;
        let condition = match snapshot.latency {
            Some(latency) if latency > config.target => {
                let (latency, target) = (words(latency), words(config.target));
                let reason =
                    format!("calls take {latency}, and may take {target}: {rate:.0}/s now");
                Condition::warning("slowing down").because(reason)
            }
            _ if rate < config.max => Condition::normal("finding the rate"),
            _ => Condition::normal("free"),
        };
        let mut reading = Reading {
            condition,
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "adaptive_rate")
        }
        .gauge("rate_per_second", rate)
        .gauge("in_flight", snapshot.in_progress)
        .counter("rate_raises", snapshot.n_raised)
        .counter("rate_cuts", snapshot.n_lowered);
        if let Some(latency) = snapshot.latency {
            reading = reading.gauge("latency_seconds", latency);
        }
        reading
    }
}

impl Observe for KeyedRate {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let usage = Usage::of(snapshot.keys as u64, config.max_keys as u64, "keys");
        let condition = if snapshot.keys >= config.max_keys {
            Condition::warning("full").because("new keys share one limit")
        } else {
            Condition::normal("free")
        };
        Reading {
            condition,
            usage: Some(usage),
            ledger: Some(snapshot.balance.into()),
            bound: Bound::NOTHING,
            ..reading_of(self, "keyed_rate")
        }
        .gauge("rate_per_second", config.rate)
        .counter("evicted_keys", snapshot.evicted)
    }
}
