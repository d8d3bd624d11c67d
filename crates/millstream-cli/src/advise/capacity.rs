//! `millstream advise capacity`.

use std::time::Duration;

use millstream_pressure::advice::{
    erlang_c, little, useful_queue, wait_longer_than, wait_with_variation,
};

use super::{Table, amount, time};

/// How many workers and how long a queue a load needs: Little's law, Erlang C, and Allen and
/// Cunneen's approximation.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many calls are served at a time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    workers: u32,
    /// How long a call takes, on average: a time with its unit.
    #[arg(long, value_name = "TIME", value_parser = time)]
    service: Duration,
    /// Calls a second.
    #[arg(long, value_name = "N", value_parser = amount)]
    rate: f64,
    /// When callers give up: a time with its unit.
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,
    /// The coefficient of variation of the times between calls: 0 for a clock, 1 for independent
    /// callers, more for bursts.
    #[arg(long, value_name = "CV", default_value = "1", value_parser = amount)]
    arrivals_cv: f64,
    /// The same of the service times.
    #[arg(long, value_name = "CV", default_value = "1", value_parser = amount)]
    service_cv: f64,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) fn advise(self) -> (Table, bool) {
        let Self { workers, service, rate, deadline, arrivals_cv, service_cv, json } = self;
        let load = little(rate, service);
        let utilization = load / f64::from(workers);
        let squares = (arrivals_cv * arrivals_cv, service_cv * service_cv);
        let wait = wait_with_variation(workers, utilization, squares.0, squares.1);
        let mut table = Table::default();
        table.number("calls in service", load, "on average");
        table.number("utilization", utilization, "");
        table.number("calls that wait", erlang_c(workers, utilization), "of all");
        table.number("mean wait", wait * service.as_secs_f64() * 1e3, "ms");
        if let Some(deadline) = deadline {
            // What is left for the wait, in service times.
            let left = deadline.as_secs_f64() / service.as_secs_f64() - 1.0;
            let late = if left < 0.0 { 1.0 } else { wait_longer_than(workers, utilization, left) };
            table.number("calls that wait too long", late.min(1.0), "of all, by Erlang C");
            let queue = useful_queue(u64::from(workers), service, deadline);
            table.number("useful queue", queue as f64, "calls: behind more all is in vain");
        }
        if utilization >= 1.0 {
            let enough = (load / 0.8).ceil();
            table.number("workers for 80 %", enough, "(these are overloaded: the queue grows)");
        }
        (table, json)
    }
}
