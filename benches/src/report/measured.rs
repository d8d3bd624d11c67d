//! What criterion left behind, and what peers took in turns.

use std::{fs, io, path::Path};

use millstream_benches::record::Record;
use serde::Deserialize;

/// All benchmarks of the last runs.
#[derive(Debug, Default)]
pub(crate) struct Measured(Vec<Benchmark>);

/// One peer at one size.
#[derive(Clone, Debug)]
pub(crate) struct Benchmark {
    pub(crate) group: String,
    pub(crate) peer: String,
    /// Empty if the peer was measured at one size only.
    pub(crate) size: String,
    /// Of the whole run, by criterion's estimate; or the median of an item, in turns.
    pub(crate) nanoseconds: f64,
    pub(crate) n_items: f64,
}

#[derive(Deserialize)]
struct Description {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
enum Throughput {
    Elements(u64),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

impl Benchmark {
    /// Nanoseconds an item.
    pub(crate) fn time(&self) -> f64 {
        self.nanoseconds / self.n_items
    }
}

impl Measured {
    /// Everything below criterion's folder.
    ///
    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut all = Self::default();
        if folder.is_dir() {
            all.add(folder)?;
        }
        Ok(all)
    }

    /// Has what peers took in turns in place of what criterion may have measured of the same
    /// groups: nanoseconds an item, by group, peer and size.
    pub(crate) fn with_turns(mut self, turns: &Record) -> Self {
        let is_in_turns =
            |group: &str| turns.keys().any(|name| name.split(" / ").next() == Some(group));
        self.0.retain(|benchmark| !is_in_turns(benchmark.group.as_str()));
        self.0.extend(turns.iter().filter_map(|(name, time)| {
            let parts: Vec<String> = name.split(" / ").map(str::to_owned).collect();
            let [group, peer, size] = parts.try_into().ok()?;
            Some(Benchmark { group, peer, size, nanoseconds: *time, n_items: 1.0 })
        }));
        self
    }

    fn add(&mut self, folder: &Path) -> io::Result<()> {
        let description = folder.join("new/benchmark.json");
        if description.is_file() {
            let description: Description = serde_json::from_str(&fs::read_to_string(description)?)?;
            let estimates: Estimates =
                serde_json::from_str(&fs::read_to_string(folder.join("new/estimates.json"))?)?;
            self.0.push(Benchmark::new(description, &estimates));
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.add(&path)?;
            }
        }
        Ok(())
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The benchmarks of a group.
    pub(crate) fn group(&self, group: &str) -> Vec<&Benchmark> {
        self.0.iter().filter(|benchmark| benchmark.group == group).collect()
    }

    /// Nanoseconds an item, of one peer at one size.
    pub(crate) fn time(&self, group: &str, peer: &str, size: &str) -> Option<f64> {
        let mut all = self.0.iter().filter(|benchmark| benchmark.group == group);
        all.find(|benchmark| benchmark.peer == peer && benchmark.size == size).map(Benchmark::time)
    }
}

impl Benchmark {
    fn new(description: Description, estimates: &Estimates) -> Self {
        let n_items = match description.throughput {
            Some(Throughput::Elements(n)) => n as f64,
            Some(Throughput::Other) | None => 1.0,
        };
        Self {
            group: description.group_id,
            peer: description.function_id.unwrap_or_default(),
            size: description.value_str.unwrap_or_default(),
            // The lesser of the two: what else the machine did can only have added time.
            nanoseconds: estimates.mean.point_estimate.min(estimates.median.point_estimate),
            n_items,
        }
    }
}

#[cfg(test)]
impl Measured {
    /// As if a peer had been measured for so many items.
    pub(crate) fn with(mut self, group: &str, peer: &str, size: u64, nanoseconds: f64) -> Self {
        self.0.push(Benchmark {
            group: group.to_owned(),
            peer: peer.to_owned(),
            size: size.to_string(),
            nanoseconds,
            n_items: size as f64,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Benchmark, Description, Estimates, Measured, Record};

    #[test]
    fn what_was_measured_in_turns_stands_in_place_of_criterions() {
        let turns = [("hubs / fast / 2", 3.0), ("hubs / fast / 2, more", 2.0)];
        let turns: Record = turns.map(|(name, time)| (name.to_owned(), time)).into();

        let criterions =
            Measured::default().with("chain", "slow", 2, 9.0).with("hubs", "fast", 2, 9.0);
        let measured = criterions.with_turns(&turns);

        let times = ["2", "2, more"].map(|size| measured.time("hubs", "fast", size));
        assert_eq!(times, [Some(3.0), Some(2.0)]);
        assert_eq!(measured.time("chain", "slow", "2"), Some(4.5));
    }

    #[test]
    fn what_criterion_writes_is_read() {
        let description: Description = serde_json::from_str(
            r#"{"group_id": "g", "function_id": "f", "value_str": "100", "full_id": "g/f/100",
                "throughput": {"Elements": 100}}"#,
        )
        .unwrap();
        let estimates: Estimates = serde_json::from_str(
            r#"{"mean": {"point_estimate": 300.0}, "median": {"point_estimate": 250.0}}"#,
        )
        .unwrap();

        let benchmark = Benchmark::new(description, &estimates);

        assert_eq!(benchmark.time(), 2.5);
    }
}
