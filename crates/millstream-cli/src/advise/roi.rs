//! `millstream advise roi`.

use millstream_pressure::advice::{RoiInput, roi};

use super::{Table, amount, share};

/// What backpressure is worth a day, and what it costs: lost messages that are lost no more, and
/// crashes that do not happen, less the overhead.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Messages a second.
    #[arg(long, value_name = "N", value_parser = amount)]
    messages_per_second: f64,
    /// What a message is worth, in the currency of the cost.
    #[arg(long, value_name = "MONEY", value_parser = amount)]
    value: f64,
    /// What the infrastructure costs an hour.
    #[arg(long, value_name = "MONEY", value_parser = amount)]
    infra_cost_per_hour: f64,
    /// The share of messages that are lost without.
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = share)]
    drop_rate: f64,
    /// Crashes an hour without.
    #[arg(long, value_name = "N", default_value = "0.001", value_parser = amount)]
    crashes_per_hour: f64,
    /// Hours that a crash lasts.
    #[arg(long, value_name = "HOURS", default_value = "1", value_parser = amount)]
    hours_per_crash: f64,
    /// The share of the lost messages that are lost no more.
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = share)]
    prevented: f64,
    /// What it costs, as a share of the infrastructure.
    #[arg(long, value_name = "SHARE", default_value = "0.1", value_parser = share)]
    overhead: f64,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) fn advise(self) -> (Table, bool) {
        let roi = roi(&RoiInput {
            per_second: self.messages_per_second,
            value: self.value,
            cost_per_hour: self.infra_cost_per_hour,
            drop_rate: self.drop_rate,
            crashes_per_hour: self.crashes_per_hour,
            hours_per_crash: self.hours_per_crash,
            prevented: self.prevented,
            overhead: self.overhead,
        });
        let mut table = Table::default();
        table.number("lost messages without", roi.dropped, "a day");
        table.number("lost messages with", roi.still_dropped, "a day");
        table.number("crashes without", roi.crashes, "a day");
        table.number("overhead", roi.overhead, "a day");
        table.number("benefit", roi.benefit, "a day");
        table.number("benefit per year", roi.benefit_per_year, "");
        table.number("percent of its cost", roi.percent.unwrap_or(f64::INFINITY), "");
        (table, self.json)
    }
}
