//! Queues, lanes, credits and the processor made of them.

use millstream_pressure::{
    Credits, Lanes, Policy as _, Queue, QueueConfig, QueueSnapshot, StreamProcessor, WhenFull,
};

use super::{reading_of, words};
use crate::{Bound, Condition, Observe, Reading, Usage, Value};

impl<T: Send + 'static> Observe for Queue<T> {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let reading = Reading {
            condition: condition(&snapshot, &config),
            usage: Some(usage(&snapshot, &config)),
            ledger: Some(snapshot.balance.into()),
            bound: bound_of::<T>(&config),
            ..reading_of(self, "queue")
        }
        .gauge("weight", snapshot.weight)
        .gauge("reserved_items", snapshot.reserved)
        .gauge("waiting_consumers", snapshot.waiting_takes)
        .counter("blocked_seconds", snapshot.blocked)
        .counter("applied_backpressure", snapshot.n_high)
        .times("queueing_seconds", snapshot.queueing)
        .times("blocking_seconds", snapshot.blocking);
        let may_spill = config.when_full == WhenFull::Spill || snapshot.spilled > 0;
        if may_spill { reading.gauge("spilled_items", snapshot.spilled) } else { reading }
    }
}

fn usage(snapshot: &QueueSnapshot, config: &QueueConfig) -> Usage {
    Usage {
        high_watermark: Some(config.high_watermark),
        low_watermark: Some(config.low_watermark),
        waiting: snapshot.waiting_puts as u64,
        oldest_seconds: snapshot.oldest.map(|age| age.as_secs_f64()),
        ..Usage::of((snapshot.items + snapshot.reserved) as u64, snapshot.room as u64, "items")
    }
}

fn condition(snapshot: &QueueSnapshot, config: &QueueConfig) -> Condition {
    if snapshot.is_closed {
        return Condition::normal("closed");
    }
    if snapshot.spilled > 0 {
        let reason =
            format!("{} items do not fit in memory, and are in the store", snapshot.spilled);
        return Condition::warning("spilling").because(reason);
    }
    let (items, room) = (snapshot.items + snapshot.reserved, snapshot.room);
    if items >= room {
        let what = match config.when_full {
            WhenFull::Wait | WhenFull::Throttle { .. } => "producers wait",
            WhenFull::Reject => "new items are refused",
            WhenFull::DropNewest => "new items are dropped",
            WhenFull::DropOldest => "the oldest items are dropped",
            WhenFull::Spill => "new items go to the store",
            WhenFull::Sample { .. } | WhenFull::Reservoir => "some items are dropped",
        };
        let reason = format!("{items} of {room} places are taken: {what}");
        return if config.when_full.waits() {
            Condition::warning("full").because(reason)
        } else {
            Condition::critical("full").because(reason)
        };
    }
    if snapshot.is_high {
        let low = (config.low_watermark * 100.0).round();
        let reason = format!("{items} of {room} places are taken; high until {low} % are");
        return Condition::warning("high").because(reason);
    }
    Condition::normal(if items == 0 { "empty" } else { "flowing" })
}

fn bound_of<T>(config: &QueueConfig) -> Bound {
    let items = config.max_capacity.unwrap_or(config.capacity) as u64;
    Bound::items(items).of_bytes_each(size_of::<T>() as u64)
}

impl<T: Send + 'static> Observe for Lanes<T> {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let lanes = || snapshot.lanes.iter().zip(&config.lanes);
        let worst = lanes()
            .map(|(lane, config)| (condition(&lane.queue, &config.queue), lane))
            .max_by_key(|(condition, _)| condition.severity);
        let condition = worst.map_or_else(Condition::default, |(condition, lane)| {
            let reason = condition.reason.map(|reason| format!("lane `{}`: {reason}", lane.name));
            Condition { reason, ..condition }
        });
        let usages = || lanes().map(|(lane, config)| usage(&lane.queue, &config.queue));
        let oldest = usages().filter_map(|usage| usage.oldest_seconds).reduce(f64::max);
        let sum = |of: fn(&Usage) -> u64| usages().map(|usage| of(&usage)).sum();
        let usage = Usage {
            waiting: sum(|usage| usage.waiting),
            oldest_seconds: oldest,
            ..Usage::of(sum(|usage| usage.used), sum(|usage| usage.capacity), "items")
        };
        let mut ledger = crate::Counts::default();
        for (lane, _) in lanes() {
            let counts = crate::Counts::from(lane.queue.balance);
            ledger.offered += counts.offered;
            ledger.delivered += counts.delivered;
            ledger.queued += counts.queued;
            for (reason, n) in counts.dropped {
                *ledger.dropped.entry(reason).or_default() += n;
            }
        }
        let values = lanes().flat_map(|(lane, _)| {
            let part = || lane.name.clone();
            [
                Value::gauge("lane_items", lane.queue.items).of_part(part()),
                Value::counter("lane_served_items", lane.served).of_part(part()),
                Value::counter("lane_blocked_seconds", lane.queue.blocked).of_part(part()),
            ]
        });
        let items = lanes().filter_map(|(_, lane)| bound_of::<T>(&lane.queue).items).sum();
        Reading {
            condition,
            usage: Some(usage),
            ledger: Some(ledger),
            values: values.collect(),
            bound: Bound::items(items).of_bytes_each(size_of::<T>() as u64),
            ..reading_of(self, "lanes")
        }
    }
}

impl Observe for Credits {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let (held, window, waiting) = (snapshot.held, snapshot.window, snapshot.n_waiting);
        let condition = if snapshot.is_stopped {
            let reason =
                format!("none of {window} is free, or not enough to go on; {waiting} wait");
            Condition::warning("stopped").because(reason)
        } else if snapshot.free == 0 {
            let reason = format!("all of {window} are held; {waiting} wait");
            Condition::warning("used up").because(reason)
        } else {
            Condition::normal("available")
        };
        let usage = Usage { waiting: waiting as u64, ..Usage::of(held, window, "credits") };
        Reading {
            condition,
            usage: Some(usage),
            bound: Bound::NOTHING,
            ..reading_of(self, "credits")
        }
        .gauge("credits_available", snapshot.free)
        .gauge("reserved_credits", snapshot.reserved)
        .counter("granted_credits", snapshot.granted)
        .counter("expired_credits", snapshot.expired)
        .counter("late_returns", snapshot.late)
        .counter("credit_starvation", snapshot.starved)
        .counter("blocked_seconds", snapshot.waited)
    }
}

impl<T: Send + 'static> Observe for StreamProcessor<T> {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let (config, snapshot) = (self.config(), self.snapshot());
        let last = &snapshot.controller.last;
        let queue = condition(&snapshot.queue, &config.queue);
        let level = super::levels::condition_of(last);
        let condition = if queue.severity > level.severity { queue } else { level };
        let mut bound = bound_of::<T>(&config.queue);
        bound.items = bound.items.map(|items| items + config.credits.max_credits);
        let mut reading = Reading {
            condition,
            usage: Some(usage(&snapshot.queue, &config.queue)),
            ledger: Some(snapshot.queue.balance.into()),
            bound,
            ..reading_of(self, "processor")
        }
        .gauge("load_level", last.level as u8 as f64)
        .gauge("pressure_ratio", last.pressure)
        .gauge("credits_available", snapshot.credits.free)
        .gauge("rate_per_second", snapshot.rate.rate)
        .counter("credit_starvation", snapshot.credits.starved)
        .counter("blocked_seconds", snapshot.queue.blocked)
        .counter("applied_backpressure", snapshot.queue.n_high)
        .times("queueing_seconds", snapshot.queue.queueing)
        .times("blocking_seconds", snapshot.queue.blocking);
        if let Some(latency) = snapshot.rate.latency {
            reading = reading.gauge("latency_seconds", latency);
            if let Some(reason) = &mut reading.condition.reason {
                reason.push_str(&format!("; calls take {}", words(latency)));
            }
        }
        reading
    }
}
