//! The page's text.

use std::collections::BTreeSet;

use millstream_benches::record::{self, Record};

use crate::measured::{Benchmark, Measured};

/// One table of times: which group, beside what, and what it is about.
struct Subject {
    group: &'static str,
    /// The peer whose time counts as one.
    base: &'static str,
    title: &'static str,
    about: &'static str,
    chart: &'static str,
}

const SUBJECTS: [Subject; 12] = [
    Subject {
        group: "range_map_filter_sum",
        base: "loop",
        title: "A synchronous chain",
        about: "Range, map, filter, sum, with unbounded demand; the columns are numbers of items.",
        chart: "performance-chain.svg",
    },
    Subject {
        group: "depth",
        base: "loop",
        title: "Deeper chains",
        about: "The columns are numbers of operators between the source and the sum.\n\
                The type of rxrust's twenty takes the compiler minutes, so they are not measured.",
        chart: "",
    },
    Subject {
        group: "demand",
        base: "unbounded",
        title: "Demand in steps",
        about: "The same chain, whose subscriber asks for so many items at a time, from inside `on_next`.",
        chart: "",
    },
    Subject {
        group: "one_to_one",
        base: "millstream_publish_on",
        title: "Across threads",
        about: "One producer to one consumer, with 256 places in between; the columns are numbers of items.\n\
                The peers take turns, because on few processors the time is decided by where the system has the threads, for milliseconds at a time: `cargo bench -p millstream-benches --bench turns`.\n\
                A cell is the median of all runs, or of those of a peer that kept at most 1.25 processors busy on average (one processor), or at least 1.75 (more), if there were five; threads that sleep in turn keep one busy wherever they are.\n\
                `rtrb` has no way to sleep: each side looks again, and lets others run after a while.",
        chart: "performance-threads.svg",
    },
    Subject {
        group: "many_to_one",
        base: "crossbeam_channel",
        title: "Many to one",
        about: "Producers on threads of their own to one consumer, with 256 places in between; the columns are numbers of producers.\n\
                A hub's subscriber is signaled on the threads that send, and with `signal_on` or `publish_on` on one of its own.\n\
                In turns, as above.",
        chart: "",
    },
    Subject {
        group: "one_to_many",
        base: "crossbeam_channels",
        title: "One to many",
        about: "One producer to four consumers, each of which gets every item, with 256 places for the slowest; the columns are numbers of items.\n\
                A hub's subscribers are signaled on the thread that sends, and with `publish_on` on others, as the consumers of the peers are.\n\
                In turns, as above.",
        chart: "",
    },
    Subject {
        group: "flatten",
        base: "futures_flat_map",
        title: "Flattening",
        about: "The columns are numbers of streams and of items in each.",
        chart: "",
    },
    Subject {
        group: "flatten_threads",
        base: "tokio_flatten_unordered",
        title: "Flattening across threads",
        about: "Streams whose items come from two other threads; the columns are numbers of streams and of items in each.",
        chart: "",
    },
    Subject {
        group: "group_by",
        base: "hash_map",
        title: "Grouping",
        about: "A sum for each key; the columns are numbers of items and of keys.\n\
                `hash_map` is a loop over a `HashMap` of sums, `group_by` folds each group where it is, \
                and `group_map` passes the sums on in one flow.",
        chart: "",
    },
    Subject {
        group: "map_async",
        base: "buffer_unordered",
        title: "Futures in flight",
        about: "100,000 futures that are done at once, and 10,000 that are pending once before; 64 at a time.",
        chart: "",
    },
    Subject {
        group: "map_async_by_concurrency",
        base: "buffer_unordered",
        title: "Number of futures in flight",
        about: "10,000 futures that are pending once; the columns are how many at a time.",
        chart: "",
    },
    Subject {
        group: "first_item",
        base: "futures",
        title: "The first item",
        about: "From subscribing to the first item, and the end of the subscription.",
        chart: "",
    },
];

/// The page, of what was measured where and by which command.
pub(crate) fn text(measured: &Measured, machine: &str, command: &str) -> String {
    let mut page = format!(
        "# Performance\n\n\
         What millstream costs beside its peers, in each table in one run of all of them: {machine}\n\
         Made by `{command}`, with fat link-time optimization and one codegen unit, as in the workspace's bench profile.\n\
         Compare the numbers of a table with each other, and not with numbers from elsewhere; run the command to see your machine's.\n\n\
         A cell is nanoseconds an item, and in brackets the ratio to the row in italics.\n"
    );
    for subject in &SUBJECTS {
        page.push_str(&table(measured, subject));
    }
    page.push_str(&latency(&record::read("latency")));
    page.push_str(&memory(&record::read("memory")));
    page.push_str(&growth(measured));
    page.push_str(&builds(&record::read("build_cost")));
    page.push_str(INSTRUCTIONS);
    page
}

const INSTRUCTIONS: &str = "\n## What keeps it so\n\n\
     `cargo xtask instructions` counts the instructions of the hot loops with callgrind, and the pipeline fails when one needs more than the table in `benches/instructions.txt` allows.\n\
     Such counts do not depend on what else the machine does.\n";

fn table(measured: &Measured, subject: &Subject) -> String {
    let group = measured.group(subject.group);
    if group.is_empty() {
        return String::new();
    }
    let sizes = sizes_of(&group);
    let mut peers: Vec<&str> = group.iter().map(|benchmark| benchmark.peer.as_str()).collect();
    peers.sort_unstable();
    peers.dedup();
    // The one that the others are compared with comes first.
    peers.sort_by_key(|peer| *peer != subject.base);

    let mut text = format!("\n## {}\n\n{}\n\n", subject.title, subject.about);
    let heads: Vec<&str> =
        sizes.iter().map(|size| if size.is_empty() { "ns" } else { size.as_str() }).collect();
    text.push_str(&format!("| | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(sizes.len())));
    for peer in peers {
        let name = if peer == subject.base { format!("*{peer}*") } else { format!("`{peer}`") };
        let cells: Vec<String> = sizes
            .iter()
            .map(|size| {
                let time = measured.time(subject.group, peer, size);
                let base = measured.time(subject.group, subject.base, size);
                match (time, base) {
                    (Some(time), Some(base)) => format!("{time:.2} ({:.2})", time / base),
                    (Some(time), None) => format!("{time:.2}"),
                    (None, _) => "-".to_owned(),
                }
            })
            .collect();
        text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    if !subject.chart.is_empty() {
        text.push_str(&format!("\n![{}]({})\n", subject.title, subject.chart));
    }
    text
}

/// By number where they begin with one.
fn sizes_of(group: &[&Benchmark]) -> Vec<String> {
    let sizes: BTreeSet<&str> = group.iter().map(|benchmark| benchmark.size.as_str()).collect();
    let mut sizes: Vec<&str> = sizes.into_iter().collect();
    sizes.sort_by_key(|size| {
        let number = size.split_once(',').map_or(*size, |(number, _)| number);
        number.parse::<u64>().unwrap_or(0)
    });
    sizes.into_iter().map(str::to_owned).collect()
}

fn latency(record: &Record) -> String {
    let peers: BTreeSet<&str> =
        record.keys().filter_map(|name| Some(name.split_once(' ')?.0)).collect();
    if peers.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## Latency\n\n\
         How long one item takes across threads when the next is asked for only after it has arrived, in nanoseconds, on threads that begin with the run (but for tokio's tasks), and without its first fifth: `cargo bench -p millstream-benches --bench latency`.\n\
         The quantiles are those of all items, and of 30 runs in turns; the last column is the p99 of the median run, because the system has the threads of some runs on one processor.\n\n\
         | | p50 | p99 | p99.9 | p99 of the median run |\n|---|---|---|---|---|\n",
    );
    for peer in peers {
        let cells = ["p50", "p99", "p99.9", "run"].map(|quantile| {
            record.get(&format!("{peer} {quantile}")).map_or("-".to_owned(), f64::to_string)
        });
        text.push_str(&format!("| `{peer}` | {} |\n", cells.join(" | ")));
    }
    text
}

fn memory(record: &Record) -> String {
    let flows: BTreeSet<&str> =
        record.keys().filter_map(|name| Some(name.rsplit_once(' ')?.0)).collect();
    if flows.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## Memory\n\n\
         A subscription that was asked for nothing: `cargo bench -p millstream-benches --bench memory`.\n\n\
         | flow | allocations | bytes |\n|---|---|---|\n",
    );
    for flow in flows {
        let cells = ["allocations", "bytes"].map(|what| {
            record.get(&format!("{flow} {what}")).map_or("-".to_owned(), f64::to_string)
        });
        text.push_str(&format!("| {flow} | {} |\n", cells.join(" | ")));
    }
    text
}

fn growth(measured: &Measured) -> String {
    let charts = [
        ("growth_items", "From one item to a hundred million", "performance-items.svg"),
        ("growth_flows", "A million items in one flow to ten thousand", "performance-flows.svg"),
        (
            "growth_operators",
            "From one operator to 64, as one type and boxed after each",
            "performance-operators.svg",
        ),
    ];
    let charts: Vec<_> =
        charts.iter().filter(|(group, ..)| !measured.group(group).is_empty()).collect();
    if charts.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## Growth\n\nTime against size, both in powers of ten: a straight line grows in proportion.\n",
    );
    for (_, title, chart) in charts {
        text.push_str(&format!("\n![{title}]({chart})\n"));
    }
    text
}

fn builds(record: &Record) -> String {
    let part = |index: usize, of: &str| -> Vec<String> {
        let parts = record.keys().filter(|name| name.starts_with(of));
        let all: BTreeSet<&str> = parts.filter_map(|name| name.split(" / ").nth(index)).collect();
        all.into_iter().map(str::to_owned).collect()
    };
    if record.is_empty() {
        return String::new();
    }
    let table = |of: &str| {
        let columns = part(2, of);
        let mut text =
            format!("| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        for row in part(1, of) {
            let cells = columns.iter().map(|column| {
                let value = record.get(&format!("{of} / {row} / {column}"));
                value.map_or("-".to_owned(), |value| format!("{value:.1}"))
            });
            let cells: Vec<String> = cells.collect();
            text.push_str(&format!("| {row} | {} |\n", cells.join(" | ")));
        }
        text
    };
    format!(
        "\n## Your release profile\n\n\
         A flow is one type from its source to its end, which the compiler joins into one loop under every profile that optimizes; the settings beyond change little.\n\
         Keep `panic = \"unwind\"`, cargo's default: with `abort`, a panic in a closure ends the program instead of the stream.\n\
         The instructions of an item in some of the hot loops, and the seconds of a processor to compile them, under several profiles: `cargo xtask build-cost`.\n\n\
         {}\n\
         ## What deep flows cost to compile\n\n\
         The seconds of a processor to compile a program of ten flows of 20 operators each, without what it depends on: `cargo xtask build-cost`.\n\
         `boxed` erases the type; what that costs when the flow runs is above, under deeper chains and growth.\n\n\
         {}",
        table("profile"),
        table("deep"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Measured, Record, SUBJECTS, latency, table};

    #[test]
    fn a_table_compares_with_its_first_row() {
        let measured = Measured::default()
            .with("range_map_filter_sum", "millstream", 100, 300.0)
            .with("range_map_filter_sum", "loop", 100, 200.0);

        let text = table(&measured, &SUBJECTS[0]);

        assert!(text.contains("| | 100 |\n|---|---|\n| *loop* | 2.00 (1.00) |\n"), "{text}");
        assert!(text.contains("| `millstream` | 3.00 (1.50) |"), "{text}");
    }

    #[test]
    fn what_was_not_measured_has_no_table() {
        assert_eq!(table(&Measured::default(), &SUBJECTS[0]), "");
        assert_eq!(latency(&Record::new()), "");
    }
}
