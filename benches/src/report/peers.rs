//! The page on operators beside other languages: what each turn of each language left, in one
//! table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use millstream_benches::{operators::n_items, record::Record};
use serde::Deserialize;

/// The columns: the name in the records, and in the table.
const PEERS: [(&str, &str); 10] = [
    ("millstream", "millstream"),
    ("rxjava", "RxJava 3"),
    ("reactor", "Reactor"),
    ("mutiny", "Mutiny"),
    ("pekko", "Pekko"),
    ("kotlin", "Kotlin Flow"),
    ("futures", "futures"),
    ("futures_concurrency", "futures-concurrency"),
    ("tokio", "tokio"),
    ("go", "Go"),
];

/// The rows: the name in the records, what it is, and what the sizes are.
const ROWS: [(&str, &str, &str); 19] = [
    ("chain", "`range`, `map`, `filter`, sum", ""),
    ("share", "a cold source shared", "subscribers"),
    ("hub", "a hub that keeps what the slowest has not taken", "subscribers"),
    ("hub_direct", "the same beside hubs that keep nothing", "subscribers"),
    ("flat_map", "`flat_map` of single items", ""),
    ("flat_map_of_two", "`flat_map` of two items", ""),
    ("concat_map", "`concat_map` of single items", ""),
    ("concat_map_of_two", "`concat_map` of two items", ""),
    ("flat_map_iter", "`flat_map_iter` of single items", ""),
    ("on_backpressure_buffer", "`on_backpressure_buffer`", ""),
    ("limit_rate", "`limit_rate`", ""),
    ("window", "`window(16)`, flattened", ""),
    ("group_by", "a sum for each group, merged", "keys"),
    ("zip", "`zip` of two", ""),
    ("merge", "`merge` of two", ""),
    ("combine_latest", "`combine_latest` of two", ""),
    ("publish_on", "`publish_on`", "hops"),
    ("parallel_map", "a quarter of a microsecond of work, and back in order", "workers"),
    ("flows_on_pool", "100,000 flows of ten items on two threads, a flow", ""),
];

/// Subjects whose peers may give different sums: which items meet is up to each.
const FREE: [&str; 1] = ["combine_latest"];

/// Of which subject, at which size: nanoseconds an item by peer, one number for each turn.
#[derive(Debug, Default)]
pub(crate) struct Turns(BTreeMap<(String, String), BTreeMap<String, Vec<f64>>>);

/// One benchmark, as JMH writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Jmh {
    benchmark: String,
    #[serde(default)]
    params: BTreeMap<String, String>,
    primary_metric: Metric,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    score_percentiles: BTreeMap<String, f64>,
    score_unit: String,
}

impl Turns {
    /// All turns in cargo's folder.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or says something else, or peers that did not do the same work.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut turns = Self::default();
        let mut sums = Sums::default();
        let Ok(entries) = fs::read_dir(folder) else { return Ok(turns) };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let Some(name) = name.strip_prefix("peers-") else { continue };
            let text = fs::read_to_string(&path)?;
            let (language, turn) = name.split_once('-').unwrap_or((name, ""));
            let failed = |error| io::Error::other(format!("{}: {error}", path.display()));
            let record = || serde_json::from_str::<Record>(&text).map_err(failed);
            match (language, turn) {
                ("jvm", "sums") => sums.add_jvm(&record()?),
                (_, "sums") => sums.add(language, &record()?),
                ("jvm", _) => {
                    turns.add_jmh(&serde_json::from_str::<Vec<Jmh>>(&text).map_err(failed)?)?
                }
                ("go", _) => turns.add_go(&record()?),
                _ => turns.add(&record()?),
            }
        }
        sums.check()?;
        Ok(turns)
    }

    fn insert(&mut self, subject: &str, peer: &str, size: &str, time: f64) {
        let row = self.0.entry((subject.to_owned(), size.to_owned())).or_default();
        row.entry(peer.to_owned()).or_default().push(time);
    }

    /// What the benchmark in Rust kept: by subject, peer and size.
    fn add(&mut self, record: &Record) {
        for (name, time) in record {
            if let [subject, peer, size] = name.split(" / ").collect::<Vec<_>>()[..] {
                self.insert(subject, peer, size, *time);
            }
        }
    }

    /// The same without a peer.
    fn add_go(&mut self, record: &Record) {
        for (name, time) in record {
            if let Some((subject, size)) = name.split_once(" / ") {
                self.insert(subject, "go", size, *time);
            }
        }
    }

    /// The medians of the runs that JMH sampled.
    fn add_jmh(&mut self, benchmarks: &[Jmh]) -> io::Result<()> {
        for Jmh { benchmark, params, primary_metric } in benchmarks {
            let median = primary_metric.score_percentiles.get("50.0");
            let (Some(median), "ns/op") = (median, primary_metric.score_unit.as_str()) else {
                let unit = &primary_metric.score_unit;
                return Err(io::Error::other(format!(
                    "{benchmark}: no median in ns/op but {unit}"
                )));
            };
            let (subject, peer) = subject_of(benchmark);
            let time = median / n_items(&subject) as f64;
            let size = params.get("size").map_or("1", String::as_str);
            self.insert(&subject, &peer, size, time);
        }
        Ok(())
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The median of the turns.
    fn time(&self, subject: &str, peer: &str, size: &str) -> Option<f64> {
        let row = self.0.get(&(subject.to_owned(), size.to_owned()))?;
        let mut times = row.get(peer)?.clone();
        times.sort_by(f64::total_cmp);
        let (low, high) = (times[(times.len() - 1) / 2], times[times.len() / 2]);
        Some(f64::midpoint(low, high))
    }

    /// The sizes of a subject, the smallest first.
    fn sizes(&self, subject: &str) -> Vec<&str> {
        let of_it = self.0.keys().filter(|(name, _)| name == subject);
        let mut sizes: Vec<&str> = of_it.map(|(_, size)| size.as_str()).collect();
        sizes.sort_by_key(|size| size.parse::<u64>().unwrap_or(0));
        sizes
    }

    /// How many turns there were at least.
    fn n_turns(&self) -> usize {
        self.0.values().flat_map(BTreeMap::values).map(Vec::len).min().unwrap_or(0)
    }
}

/// What the peers gave, in as many bits as all languages keep, by subject and size.
#[derive(Default)]
struct Sums(BTreeMap<String, Vec<(String, u32)>>);

impl Sums {
    fn add(&mut self, peer: &str, record: &Record) {
        for (name, sum) in record {
            self.0.entry(name.clone()).or_default().push((peer.to_owned(), *sum as u32));
        }
    }

    /// By the benchmark's name, and after a blank its size.
    fn add_jvm(&mut self, record: &Record) {
        for (name, sum) in record {
            let (benchmark, size) = name.split_once(' ').unwrap_or((name, "1"));
            let (subject, peer) = subject_of(benchmark);
            let name = format!("{subject} / {size}");
            self.0.entry(name).or_default().push((peer, *sum as u32));
        }
    }

    /// Whether all peers of each subject gave the same.
    fn check(&self) -> io::Result<()> {
        for (name, sums) in &self.0 {
            let is_free = FREE.iter().any(|subject| name.starts_with(subject));
            if !is_free && sums.iter().any(|(_, sum)| *sum != sums[0].1) {
                let text = format!("{name}: the peers did not do the same work: {sums:?}");
                return Err(io::Error::other(text));
            }
        }
        Ok(())
    }
}

/// The subject and the peer of `some.package.RxJava.flatMap`.
fn subject_of(benchmark: &str) -> (String, String) {
    let mut parts = benchmark.rsplit('.');
    let mut subject = String::new();
    for char in parts.next().unwrap_or_default().chars() {
        if char.is_uppercase() {
            subject.push('_');
        }
        subject.extend(char.to_lowercase());
    }
    (subject, parts.next().unwrap_or_default().to_lowercase())
}

/// The page, of what was measured where and by which command.
pub(crate) fn text(turns: &Turns, machine: &str, command: &str) -> String {
    let has = |peer: &str| turns.0.values().any(|row| row.contains_key(peer));
    let (present, missing): (Vec<_>, Vec<_>) = PEERS.iter().partition(|(peer, _)| has(peer));
    let of_turns = match turns.n_turns() {
        0 | 1 => String::new(),
        n => format!(", and that of {n} turns"),
    };
    let mut page = format!(
        "# Operators beside other languages\n\n\
         What one operator costs, in nanoseconds an item, beside the same work by the libraries of the JVM, by streams of Rust, and by channels of Go: {machine}\n\
         Made by `{command}`, which runs the languages one after another; a cell is the median of a turn's runs{of_turns}, and the least of a row is bold.\n\
         {TERMS}\n",
    );
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|(_, name)| *name).collect();
        page.push_str(&format!(
            "\nNot measured, because the machine lacked their tools: {}.\n",
            names.join(", ")
        ));
    }
    let heads: Vec<&str> = present.iter().map(|(_, name)| *name).collect();
    page.push_str(&format!(
        "\n## One operator\n\n| | {} |\n|---|{}\n",
        heads.join(" | "),
        "---|".repeat(heads.len())
    ));
    for (subject, title, of) in ROWS {
        for size in turns.sizes(subject) {
            let name = if of.is_empty() {
                title.to_owned()
            } else {
                format!(
                    "{title}: {size} {}",
                    if size == "1" { of.trim_end_matches('s') } else { of }
                )
            };
            let times: Vec<Option<f64>> =
                present.iter().map(|(peer, _)| turns.time(subject, peer, size)).collect();
            let least = times.iter().flatten().copied().fold(f64::INFINITY, f64::min);
            let cells = times.iter().map(|time| match time {
                None => "-".to_owned(),
                Some(time) if *time <= least => format!("**{time:.1}**"),
                Some(time) => format!("{time:.1}"),
            });
            page.push_str(&format!("| {name} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        }
    }
    page.push_str(&behind(turns));
    page
}

/// What stands above the table in each run.
const TERMS: &str = "All peers of a row do the same for 10,000 items of the source, or 100,000 that are grouped, with a subscriber that asks without bound, and what they give is compared; the items of the JVM are boxed, as its libraries have them. Reactor, Mutiny and Pekko have a `map` from `int` to `long` more in most rows, because their ranges are of `int`.\n\
     `-` stands where a library has no such operator, or none that was measured; `flat_map` takes 256 flows at a time, and a queue has 256 places.\n\
     Reactor, RxJava, Mutiny and Kotlin run a row on the thread that subscribes, but for the last five; Pekko runs each on its dispatcher, and Go has a goroutine for each stage.\n\
     tokio's are tasks with a channel from each to the next; RxJava's and Reactor's hubs are `MulticastProcessor` and `onBackpressureBuffer`, and those that keep nothing `PublishProcessor`, `directBestEffort` and `BroadcastProcessor`.\n\
     Rows of several threads also tell how soon the system runs a thread that was woken, and on a busy machine they tell little else.\n\
     `combine_latest` lets each library decide which items meet.";

/// The rows in which a library of the JVM needs less time, so that none is overlooked.
fn behind(turns: &Turns) -> String {
    let jvm: BTreeSet<&str> = ["rxjava", "reactor", "mutiny", "pekko", "kotlin"].into();
    let (mut rows, mut n_rows) = (Vec::new(), 0);
    for (subject, ..) in ROWS {
        for size in turns.sizes(subject) {
            let Some(ours) = turns.time(subject, "millstream", size) else { continue };
            let theirs = jvm.iter().filter_map(|peer| turns.time(subject, peer, size));
            let least = theirs.fold(f64::INFINITY, f64::min);
            n_rows += usize::from(least.is_finite());
            if least < ours {
                let size = if size == "1" { String::new() } else { format!(" ({size})") };
                rows.push(format!("`{subject}`{size} {:.1}", ours / least));
            }
        }
    }
    if n_rows == 0 {
        return String::new();
    }
    let list = if rows.is_empty() { "none".to_owned() } else { rows.join(", ") };
    format!(
        "\nOf {n_rows} rows with a library of the JVM, those in which one is ahead, and how many times: {list}.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{Jmh, Record, Sums, Turns, subject_of, text};

    /// Written by JMH 1.37 for two benchmarks of RxJava, one of which has a size.
    const JMH: &str = include_str!("fixtures/jmh.json");

    fn record(entries: &[(&str, f64)]) -> Record {
        entries.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
    }

    fn turns() -> Turns {
        let mut turns = Turns::default();
        turns.add_jmh(&serde_json::from_str::<Vec<Jmh>>(JMH).unwrap()).unwrap();
        turns
    }

    #[test]
    fn what_jmh_writes_is_read() {
        let turns = turns();

        assert_eq!(turns.time("chain", "rxjava", "1"), Some(10_525.081_6));
        assert_eq!(turns.sizes("hub"), ["1", "4"]);
    }

    #[test]
    fn another_unit_is_an_error() {
        let of_seconds = JMH.replace("ns/op", "s/op");
        let benchmarks: Vec<Jmh> = serde_json::from_str(&of_seconds).unwrap();

        let error = Turns::default().add_jmh(&benchmarks).unwrap_err().to_string();

        assert!(error.contains("RxJava.chain: no median in ns/op but s/op"), "{error}");
    }

    #[test]
    fn all_languages_are_one_table_of_medians() {
        let mut turns = turns();
        for time in [9.0, 1.0, 2.0] {
            turns.add(&record(&[("chain / millstream / 1", time), ("hub / millstream / 4", 2e4)]));
        }
        turns.add_go(&record(&[("chain / 1", 100.0)]));

        let page = text(&turns, "here.", "a command");

        assert!(page.contains("| | millstream | RxJava 3 | Go |\n"), "{page}");
        assert!(page.contains("sum | **2.0** | 10525.1 | 100.0 |"), "{page}");
        assert!(page.contains("taken: 1 subscriber | - |"), "{page}");
        assert!(page.contains("2 rows with a library of the JVM"), "{page}");
        assert!(page.contains("how many times: `hub` (4) 1.5."), "{page}");
    }

    #[test]
    fn a_language_whose_tools_are_missing_is_named() {
        let mut turns = Turns::default();
        turns.add(&record(&[("chain / millstream / 1", 1.0)]));

        let page = text(&turns, "here.", "a command");

        assert!(page.contains("lacked their tools: RxJava 3, Reactor, Mutiny, Pekko,"), "{page}");
        assert!(!page.contains("a library of the JVM,"), "{page}");
    }

    #[test]
    fn peers_that_did_something_else_are_found() {
        let mut sums = Sums::default();
        sums.add("rust", &record(&[("flat_map / 1", 5.0), ("combine_latest / 1", 5.0)]));
        sums.add_jvm(&record(&[("a.b.RxJava.combineLatest", 6.0)]));
        assert!(sums.check().is_ok());

        sums.add_jvm(&record(&[("a.b.RxJava.flatMap", 6.0)]));

        let error = sums.check().unwrap_err().to_string();
        assert!(error.contains("flat_map / 1") && error.contains("rxjava"), "{error}");
    }

    #[test]
    fn names_of_the_jvm_become_ours() {
        let ours = subject_of("millstream.benches.RxJava.flatMapOfTwo");
        assert_eq!(ours, ("flat_map_of_two".to_owned(), "rxjava".to_owned()));
    }
}
