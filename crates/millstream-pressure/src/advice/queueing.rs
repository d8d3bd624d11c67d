//! Little's law, Erlang's formulas, and the universal scalability law.

use std::time::Duration;

/// How many are in a system, by Little's law: so many come a second, and each stays `time`.
#[must_use]
pub fn little(per_second: f64, time: Duration) -> f64 {
    per_second * time.as_secs_f64()
}

/// How many may wait in front of `workers` so that the last is still served before its deadline:
/// `workers * (deadline / service - 1)`, rounded down. None if the deadline is shorter than the
/// service, and no bound, as `u64::MAX`, if a service takes no time.
#[must_use]
pub fn useful_queue(workers: u64, service: Duration, deadline: Duration) -> u64 {
    if service.is_zero() {
        return u64::MAX;
    }
    // In nanoseconds, which is exact.
    let spare = deadline.saturating_sub(service).as_nanos();
    let n = spare.saturating_mul(u128::from(workers)) / service.as_nanos();
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The share of calls that are lost where none can wait: M/M/c/c, Erlang B. `load` is in Erlangs,
/// the rate times the service time.
#[must_use]
pub fn erlang_b(servers: u32, load: f64) -> f64 {
    if load.is_nan() || load <= 0.0 {
        return if load.is_nan() { load } else { 0.0 };
    }
    if load.is_infinite() {
        return 1.0;
    }
    (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
}

/// The share of calls that wait: M/M/c, Erlang C. `utilization` is of all servers, from 0 to 1.
#[must_use]
pub fn erlang_c(servers: u32, utilization: f64) -> f64 {
    if servers == 0 || utilization >= 1.0 {
        return 1.0;
    }
    let b = erlang_b(servers, utilization * f64::from(servers));
    b / (1.0 - utilization * (1.0 - b))
}

/// The mean wait in M/M/c, in units of the service time.
#[must_use]
pub fn wait(servers: u32, utilization: f64) -> f64 {
    if servers == 0 || utilization >= 1.0 {
        return f64::INFINITY;
    }
    erlang_c(servers, utilization) / (f64::from(servers) * (1.0 - utilization))
}

/// The share of calls that wait longer than `time`, which is in units of the service time, in
/// M/M/c.
#[must_use]
pub fn wait_longer_than(servers: u32, utilization: f64, time: f64) -> f64 {
    let free = f64::from(servers) * (1.0 - utilization).max(0.0);
    erlang_c(servers, utilization) * (-free * time.max(0.0)).exp()
}

/// The mean wait in G/G/c, in units of the service time, by Allen and Cunneen's approximation
/// (Kingman's for one server): from the squares of the coefficients of variation of the times
/// between arrivals and of the services. 1 for exponential ones, 0 for constant ones.
#[must_use]
pub fn wait_with_variation(
    servers: u32,
    utilization: f64,
    arrivals_squared: f64,
    service_squared: f64,
) -> f64 {
    wait(servers, utilization) * f64::midpoint(arrivals_squared, service_squared)
}

/// The share of calls that are lost in M/M/1/K: one server, and room for `capacity`, the one that
/// is served included. `utilization` may be more than 1.
#[must_use]
pub fn loss(utilization: f64, capacity: u32) -> f64 {
    if utilization.is_nan() || utilization <= 0.0 {
        return if utilization.is_nan() { utilization } else { 0.0 };
    }
    // As a sum that neither overflows nor divides 0 by 0: 1 / (1 + 1/rho + ... + 1/rho^K).
    let inverse = utilization.recip();
    let (sum, _) = (0..capacity)
        .fold((1.0_f64, 1.0_f64), |(sum, power), _| (sum + power * inverse, power * inverse));
    sum.recip()
}

/// The throughput of `n` workers by Gunther's universal scalability law: `rate` is that of one,
/// `contention` the share that is serial, and `coherence` what each pair costs.
#[must_use]
pub fn usl_throughput(n: f64, rate: f64, contention: f64, coherence: f64) -> f64 {
    rate * n / (1.0 + contention * (n - 1.0) + coherence * n * (n - 1.0))
}

/// The number of workers above which throughput falls, by the same law; infinity without
/// coherence cost.
#[must_use]
pub fn usl_peak(contention: f64, coherence: f64) -> f64 {
    if coherence <= 0.0 { f64::INFINITY } else { ((1.0 - contention) / coherence).sqrt() }
}
