//! What happened in a minute.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::{batch::Batch, clock::Clock, meter::Meter};

/// How many minutes ahead of the log's time may wait: those of lines with a wrong clock.
const MAX_AHEAD: usize = 1000;

/// One object of the output.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    minute: String,
    requests: u64,
    bytes: u64,
    status: Status,
    top_paths: Vec<TopPath>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Status {
    #[serde(rename = "2xx")]
    success: u64,
    #[serde(rename = "3xx")]
    redirect: u64,
    #[serde(rename = "4xx")]
    client_error: u64,
    #[serde(rename = "5xx")]
    server_error: u64,
}

#[derive(Debug, Serialize)]
struct TopPath {
    path: String,
    requests: u64,
    /// Against the minute that was reported before.
    growth: i64,
}

#[derive(Default)]
struct Minute {
    requests: u64,
    bytes: u64,
    status: Status,
    paths: HashMap<String, u64>,
}

/// The minutes that may still change.
pub(crate) struct Minutes {
    open: BTreeMap<i64, Minute>,
    /// The paths of the minute that was reported last.
    before: HashMap<String, u64>,
    clock: Clock,
    lateness: i64,
    n_top: usize,
    meter: Meter,
}

impl Minutes {
    /// A minute is reported once the log's time is `lateness` seconds later.
    pub(crate) fn new(lateness: i64, n_top: usize, meter: Meter) -> Self {
        // Minutes that follow each other are always within reach.
        let clock = Clock::new(lateness.max(60));
        Self { open: BTreeMap::new(), before: HashMap::new(), clock, lateness, n_top, meter }
    }

    /// Counts requests; the minutes that are over.
    pub(crate) fn add(&mut self, batch: &Batch) -> Vec<Report> {
        // A replay is a log of its own.
        let mut reports = if batch.is_first { self.finish() } else { Vec::new() };
        for (record, path) in batch.records() {
            self.clock.see(record.minute);
            let minute = self.open.entry(record.minute).or_insert_with(|| {
                self.meter.enter(1);
                Minute::default()
            });
            minute.requests += 1;
            minute.bytes = minute.bytes.saturating_add(record.bytes);
            match record.status / 100 {
                2 => minute.status.success += 1,
                3 => minute.status.redirect += 1,
                4 => minute.status.client_error += 1,
                5 => minute.status.server_error += 1,
                // An interim answer, which has no class in the report.
                _ => {}
            }
            let path = String::from_utf8_lossy(path);
            match minute.paths.get_mut(&*path) {
                Some(n) => *n += 1,
                None => {
                    minute.paths.insert(path.into_owned(), 1);
                }
            }
        }
        if let Some(now) = self.clock.now() {
            reports.extend(self.close(now.saturating_sub(self.lateness)));
            reports.extend(self.close_ahead(now));
        }
        reports
    }

    /// The minutes that are left.
    pub(crate) fn finish(&mut self) -> Vec<Report> {
        let reports = self.close(i64::MAX);
        self.before.clear();
        self.clock.reset();
        reports
    }

    fn close(&mut self, until: i64) -> Vec<Report> {
        let mut reports = Vec::new();
        while let Some(entry) = self.open.first_entry()
            && *entry.key() < until
        {
            let (start, minute) = entry.remove_entry();
            reports.push(self.report(start, minute));
        }
        reports
    }

    /// Those furthest ahead, where more than [`MAX_AHEAD`] wait.
    fn close_ahead(&mut self, now: i64) -> Vec<Report> {
        let mut n_ahead = self.open.range(now.saturating_add(1)..).count();
        let mut reports = Vec::new();
        while n_ahead > MAX_AHEAD
            && let Some((start, minute)) = self.open.pop_last()
        {
            reports.push(self.report(start, minute));
            n_ahead -= 1;
        }
        reports
    }

    fn report(&mut self, start: i64, minute: Minute) -> Report {
        let mut paths: Vec<_> = minute.paths.iter().collect();
        paths.sort_by(|(path, n), (other, m)| m.cmp(n).then(path.cmp(other)));
        let top_paths = paths.into_iter().take(self.n_top).map(|(path, n)| {
            let before = self.before.get(path).copied().unwrap_or(0);
            TopPath { path: path.clone(), requests: *n, growth: *n as i64 - before as i64 }
        });
        let top_paths = top_paths.collect();
        self.before = minute.paths;
        let time = Timestamp::from_second(start).unwrap_or(Timestamp::UNIX_EPOCH);
        Report {
            minute: time.to_string(),
            requests: minute.requests,
            bytes: minute.bytes,
            status: minute.status,
            top_paths,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_AHEAD, Minutes};
    use crate::{batch::Batch, input::Lines, meter::Meter};

    #[test]
    fn lines_with_wrong_clocks_take_a_bounded_part_of_the_memory() {
        let line = |time: &str| format!("h - - [{time} +0000] \"GET / HTTP/1.1\" 200 1\n");
        // One good line after each of the others, which are of a minute each.
        let text: String = (0..3 * MAX_AHEAD)
            .map(|n| {
                let time = format!("{}:{:02}:00", n / 60 % 24, n % 60);
                let stray = line(&format!("{:02}/May/2035:{time}", n / 1440 + 1));
                stray + &line("17/May/2015:10:05:00")
            })
            .collect();
        let text = (line("17/May/2015:10:05:00") + &text).into_bytes();
        let n_lines = 6 * MAX_AHEAD as u64 + 1;
        let mut minutes = Minutes::new(300, 5, Meter::new("aggregate", "minutes"));

        let early =
            minutes.add(&Batch::parse(Lines { text, first_number: 1, n_lines, is_first: true }));

        assert_eq!(early.len(), 2 * MAX_AHEAD);
        let rest = minutes.finish();
        assert_eq!(rest.len(), MAX_AHEAD + 1);
        let n_requests = early.iter().chain(&rest).map(|report| report.requests).sum::<u64>();
        assert_eq!(n_requests, n_lines);
        assert_eq!(rest[0].requests, 3 * MAX_AHEAD as u64 + 1);
    }
}
