//! `millstream advise policy`.

use clap::ValueEnum;
use millstream_pressure::advice::{self, Advice, Situation, decide};

use super::Table;

/// Which policy fits a situation.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How much passes.
    #[arg(long, value_enum)]
    volume: Volume,
    /// Whether the producer can be faster than the consumer, if only for a while.
    #[arg(long, value_enum)]
    producer: Producer,
    /// What may be lost.
    #[arg(long, value_enum)]
    loss: Loss,
    /// What waiting costs.
    #[arg(long, value_enum)]
    latency: Latency,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Volume {
    /// A wait of the producer is not noticed.
    Low,
    /// It is.
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Producer {
    /// At times.
    Faster,
    /// Never.
    Slower,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Loss {
    /// Nothing.
    Nothing,
    /// What is old: only the newest matters.
    Old,
    /// Some, as long as what remains stands for all.
    Some,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Latency {
    /// Little: a producer may be blocked.
    Tolerant,
    /// Much, and the load is even.
    Sensitive,
    /// Much, and the load comes in bursts.
    Bursts,
}

impl Args {
    pub(super) fn advise(self) -> (Table, bool) {
        let situation = Situation {
            is_high_volume: self.volume == Volume::High,
            is_producer_faster: self.producer == Producer::Faster,
            loss: match self.loss {
                Loss::Nothing => advice::Loss::Nothing,
                Loss::Old => advice::Loss::Old,
                Loss::Some => advice::Loss::Some,
            },
            latency: match self.latency {
                Latency::Tolerant => advice::Latency::Tolerant,
                Latency::Sensitive => advice::Latency::Sensitive,
                Latency::Bursts => advice::Latency::SensitiveInBursts,
            },
        };
        let (policy, how) = match decide(situation) {
            Advice::Demand => ("demand", "nothing: `request(n)` is enough"),
            Advice::Wait => ("wait", "a bounded queue whose producers wait: `WhenFull::Wait`"),
            Advice::DropOldest => ("drop-oldest", "a queue with `WhenFull::DropOldest`"),
            Advice::Sample => ("sample", "a queue with `WhenFull::Sample`"),
            Advice::Adaptive => ("adaptive", "`AdaptiveRate`, or a `ConcurrencyLimit`"),
            Advice::Credits => ("credits", "`Credits` between the stages"),
        };
        let mut table = Table::default();
        table.text("policy", policy);
        table.text("how", how);
        (table, self.json)
    }
}
