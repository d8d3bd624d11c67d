//! What happened in a minute.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::{batch::Batch, meter::Meter};

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
    lateness: i64,
    n_top: usize,
    meter: Meter,
}

impl Minutes {
    /// A minute is reported once a line came that is `lateness` seconds younger.
    pub(crate) fn new(lateness: i64, n_top: usize, meter: Meter) -> Self {
        Self { open: BTreeMap::new(), before: HashMap::new(), lateness, n_top, meter }
    }

    /// Counts requests; the minutes that are over.
    pub(crate) fn add(&mut self, batch: &Batch) -> Vec<Report> {
        // A replay is a log of its own.
        let mut reports = if batch.is_first { self.finish() } else { Vec::new() };
        for (record, path) in batch.records() {
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
        let latest = self.open.last_key_value().map_or(0, |(minute, _)| *minute);
        reports.extend(self.close(latest.saturating_sub(self.lateness)));
        reports
    }

    /// The minutes that are left.
    pub(crate) fn finish(&mut self) -> Vec<Report> {
        let reports = self.close(i64::MAX);
        self.before.clear();
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
