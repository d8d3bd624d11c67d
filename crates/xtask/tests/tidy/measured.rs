//! The README's numbers are those of the book's pages on performance, which the benchmarks write.

use std::{collections::HashMap, fmt::Write as _, fs};

use crate::tree::{Finding, Tree, root};

const PAGE: &str = "README.md";
const BOOK: &str = "docs/book/src/performance.md";
const PEERS: &str = "docs/book/src/performance-peers.md";
const START: &str = "<!-- measured -->";
const END: &str = "<!-- end -->";

/// A row of the README's table.
struct Row {
    work: &'static str,
    /// Where its numbers stand in the book.
    section: &'static str,
    column: &'static str,
    ours: &'static str,
    peers: &'static [&'static str],
}

const ROWS: [Row; 9] = [
    Row {
        work: "range, map, filter, sum: 100,000 items",
        section: "A synchronous chain",
        column: "100000",
        ours: "millstream",
        peers: &["loop", "iterator", "rxrust", "tokio_stream", "futures"],
    },
    Row {
        work: "the same, with `request(16)` at a time",
        section: "Demand in steps",
        column: "100000",
        ours: "by_16",
        peers: &["unbounded", "by_256", "by_1"],
    },
    Row {
        work: "one thread to another: 1,000,000 items, 256 places",
        section: "Across threads",
        column: "1000000",
        ours: "millstream_publish_on",
        peers: &["rtrb", "kanal", "crossbeam_channel", "tokio_mpsc_tasks", "tokio_mpsc_threads"],
    },
    Row {
        work: "four producers to one consumer",
        section: "Many to one",
        column: "4",
        ours: "millstream_merge_signal_on",
        peers: &["kanal", "crossbeam_channel", "tokio_mpsc_tasks"],
    },
    Row {
        work: "one producer to four consumers",
        section: "One to many",
        column: "100000",
        ours: "millstream_multicast",
        peers: &["tokio_broadcast_tasks", "crossbeam_channels"],
    },
    Row {
        work: "a thousand flows of a thousand items",
        section: "Flattening",
        column: "1000x1000",
        ours: "millstream_flat_map",
        peers: &["futures_flatten_unordered"],
    },
    Row {
        work: "a million flows of one item",
        section: "Flattening",
        column: "1000000x1",
        ours: "millstream_flat_map",
        peers: &["futures_flatten_unordered"],
    },
    Row {
        work: "futures, 64 in flight",
        section: "Futures in flight",
        column: "yielding",
        ours: "millstream",
        peers: &["buffer_unordered", "buffered", "join_set"],
    },
    Row {
        work: "one item at a time across threads, p99",
        section: "Latency",
        column: "p99",
        ours: "millstream_publish_on",
        peers: &["tokio_mpsc_tasks", "crossbeam_channel"],
    },
];

/// The columns of the README's table beside other languages, and its rows, as the page has them.
const LANGUAGES: [&str; 5] = ["millstream", "RxJava 3", "Reactor", "Pekko", "Kotlin Flow"];
const OPERATORS: [&str; 6] = [
    "`range`, `map`, `filter`, sum",
    "a cold source shared: 4 subscribers",
    "`flat_map` of single items",
    "`concat_map` of two items",
    "a sum for each group, merged: 1000 keys",
    "`zip` of two",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else { return Vec::new() };
    let Some(book) = tree.files.iter().find(|file| file.path == BOOK) else { return Vec::new() };
    match filled(&page.text, &book.text, text_of(tree, PEERS)) {
        Err(missing) => vec![book.finding(0, format!("it has no number for {missing}"))],
        Ok(text) if text != page.text => {
            let pages = format!("{BOOK} and {PEERS}");
            let instead = format!("its numbers are not those of {pages}: run `cargo xtask book`");
            vec![page.finding(0, instead)]
        }
        Ok(_) => Vec::new(),
    }
}

/// Fills the README's table.
pub(crate) fn write(tree: &Tree) -> std::io::Result<()> {
    let page = root().join(PAGE);
    let text = fs::read_to_string(&page)?;
    let text = filled(&text, text_of(tree, BOOK), text_of(tree, PEERS));
    fs::write(page, text.map_err(std::io::Error::other)?)
}

fn text_of<'a>(tree: &'a Tree, path: &str) -> &'a str {
    tree.files.iter().find(|file| file.path == path).map_or("", |file| &file.text)
}

/// The page with its tables filled, or what the book lacks.
fn filled(page: &str, book: &str, peers: &str) -> Result<String, String> {
    let Some((before, rest)) = page.split_once(START) else {
        return Err(format!("`{START}` in {PAGE}"));
    };
    let (_, after) = rest.split_once(END).ok_or(format!("`{END}` in {PAGE}"))?;
    let numbers = numbers_in(book);
    let mut table = String::from("\n\n| work | millstream | peers |\n|---|---|---|\n");
    for Row { work, section, column, ours, peers } in &ROWS {
        let number = |name: &str| {
            let key = (section.to_string(), name.to_owned(), column.to_string());
            numbers.get(&key).cloned().ok_or(format!("{section}, {name}, {column}"))
        };
        let peers: Result<Vec<String>, String> =
            peers.iter().map(|name| Ok(format!("`{name}` {}", number(name)?))).collect();
        let _ok = writeln!(table, "| {work} | {} | {} |", number(ours)?, peers?.join(", "));
    }
    table.push_str(&beside_others(peers)?);
    Ok(format!("{before}{START}{table}\n{END}{after}"))
}

/// The table beside other languages: some rows and columns of the page's. Nothing if there is no
/// page; a language that its machine lacked has no column.
fn beside_others(page: &str) -> Result<String, String> {
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    let Some(heads) = rows.first() else { return Ok(String::new()) };
    let columns: Vec<usize> = LANGUAGES
        .iter()
        .filter_map(|language| heads.iter().position(|head| head == language))
        .collect();
    let line = |name: &str, row: &[&str]| {
        let cells: Option<Vec<&str>> =
            columns.iter().map(|&at| row.get(at).map(|cell| cell.trim_matches('*'))).collect();
        cells.map(|cells| format!("| {name} | {} |\n", cells.join(" | ")))
    };
    let head = line("one operator", heads).unwrap_or_default();
    let said = "Beside other languages, on [a page](docs/book/src/performance-peers.md) that says how, \
                and how busy the machine was:";
    let mut table = format!("\n{said}\n\n{head}|---|{}\n", "---|".repeat(columns.len()));
    for name in OPERATORS {
        let row = rows.iter().find(|row| row[0] == name);
        let row = row.and_then(|row| line(name, row)).ok_or(format!("{name} in {PEERS}"))?;
        table.push_str(&row);
    }
    Ok(table)
}

/// The nanoseconds in the book's tables, by section, row and column.
fn numbers_in(book: &str) -> HashMap<(String, String, String), String> {
    let mut numbers = HashMap::new();
    let (mut section, mut columns) = (String::new(), Vec::new());
    for line in book.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        }
        let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
            columns.clear();
            continue;
        };
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
        if columns.is_empty() {
            columns = cells;
            continue;
        }
        let name = cells[0].trim_matches(['*', '`']).to_owned();
        for (column, cell) in columns.iter().zip(&cells).skip(1) {
            let number = cell.split(' ').next().unwrap_or_default().to_owned();
            numbers.insert((section.clone(), name.clone(), column.clone()), number);
        }
    }
    numbers
}

#[test]
fn a_number_that_differs_from_the_book_is_found() {
    let mut book = String::new();
    for Row { section, column, ours, peers, .. } in &ROWS {
        let _ok = writeln!(book, "## {section}\n\n| | 7 | {column} |\n|---|---|---|");
        for name in peers.iter().chain([ours]) {
            let _ok = writeln!(book, "| `{name}` | 9.99 (1.00) | 1.25 (0.50) |");
        }
        book.push('\n');
    }
    let page = filled(&format!("# A\n{START}{END}\n## B\n"), &book, "").unwrap();
    let findings = |page: &str, book: &str| {
        let tree = Tree::sample(&[(PAGE, page), (BOOK, book)]);
        check(&tree).iter().map(ToString::to_string).collect::<Vec<_>>()
    };

    assert!(
        page.contains("| a million flows of one item | 1.25 | `futures_flatten_unordered` 1.25 |")
    );
    assert!(page.starts_with("# A\n") && page.ends_with("\n## B\n"));
    assert_eq!(findings(&page, &book), Vec::<String>::new());
    assert!(
        findings(&page.replace("| 1.25 |", "| 1.24 |"), &book)[0]
            .contains("run `cargo xtask book`")
    );
    assert!(
        findings(&page, &book.replace("rxrust", "other"))[0]
            .contains("A synchronous chain, rxrust")
    );
}

#[test]
fn the_table_beside_other_languages_has_the_columns_that_were_measured() {
    let mut page = String::from("# A\n\n| | millstream | futures | Reactor |\n|---|---|---|---|\n");
    assert_eq!(beside_others(""), Ok(String::new()));
    assert!(beside_others(&page).unwrap_err().contains("`range`, `map`, `filter`, sum"));

    for name in OPERATORS {
        let _ok = writeln!(page, "| {name} | **1.5** | - | 2.5 |");
    }

    let table = beside_others(&page).unwrap();
    assert!(
        table.contains("\n\n| one operator | millstream | Reactor |\n|---|---|---|\n"),
        "{table}"
    );
    assert!(table.contains("| `zip` of two | 1.5 | 2.5 |\n"), "{table}");
}
