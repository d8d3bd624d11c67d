//! `instructions`: what our hot loops cost, counted by callgrind, and compared with a table.
//!
//! Times on a machine that does other things as well say little; the number of instructions stays
//! the same. Each case is run for few items and for many: the difference is what an item costs, and
//! the rest what a subscription costs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shell::{Call, Failure, Shell, root, target_dir};

/// Counts the instructions of the hot loops, and fails if one needs more than the table allows.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Writes what was counted into the table, in place of what is there.
    #[arg(long)]
    pub(crate) bless: bool,
}

/// What was counted, as committed.
const TABLE: &str = "benches/instructions.txt";

/// The share by which a count may be larger than the table's: room for another processor, for which
/// the C library copies memory in another way.
const TOLERANCE: f64 = 0.02;
/// The same for another compiler, of which a count says less.
const TOLERANCE_OF_ANOTHER_COMPILER: f64 = 0.5;
/// What may come on top, so that small counts are not held to fractions of an instruction.
const SLACK_OF_ITEM: f64 = 0.05;
const SLACK_OF_SUBSCRIPTION: f64 = 40.0;

/// Instructions of one case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    pub(crate) name: String,
    /// Of one item.
    pub(crate) item: f64,
    /// Of a subscription without its items.
    pub(crate) subscription: f64,
}

pub(crate) fn run(shell: &Shell, is_blessing: bool) -> Result<(), Failure> {
    let counts = count(shell, "instructions", |call| call)?;
    let path = root().join(TABLE);
    let compiler = compiler()?;
    if is_blessing {
        fs::write(&path, table_of(&counts, &compiler))
            .map_err(|error| Failure::new(format!("{TABLE} cannot be written: {error}")))?;
        println!("written: {TABLE}");
        return Ok(());
    }
    let text = fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("{TABLE} cannot be read: {error}")))?;
    let findings = compare(&counts, &text, &compiler);
    for Count { name, item, subscription } in &counts {
        println!("{name:20} {item:>10.2} an item {subscription:>12.0} a subscription");
    }
    if findings.is_empty() {
        println!("instructions: {} cases within their bounds", counts.len());
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}\nif it is meant to be so, write `cargo xtask instructions --bless` and say why in the commit",
        findings.join("\n")
    )))
}

/// Builds the cases and runs them under callgrind; `set` may add to the call of cargo.
pub(crate) fn count(
    shell: &Shell,
    folder: &str,
    set: impl FnOnce(Call) -> Call,
) -> Result<Vec<Count>, Failure> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err(Failure::new("valgrind was not found; install it, such as by apt-get"));
    }
    let folder = target_dir().join("callgrind").join(folder);
    // What an earlier run left would be taken for this one's; there may be nothing.
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("{} cannot be made: {error}", folder.display())))?;
    let out = folder.join("out");
    // Only what is called from `counted` is counted, and each call of it is written by itself.
    let runner = format!(
        "target.'cfg(all())'.runner = ['valgrind', '--quiet', '--tool=callgrind', \
         '--toggle-collect=instructions::counted', '--dump-after=instructions::counted', \
         '--callgrind-out-file={}']",
        out.display()
    );
    let call = shell
        .cargo("bench --package millstream-benches --no-default-features --bench instructions")
        .arg("--config")
        .arg(&runner);
    counts_of(&set(call).read()?, &out)
}

/// Puts the names that the program printed and the files that callgrind wrote together.
fn counts_of(printed: &str, out: &Path) -> Result<Vec<Count>, Failure> {
    let mut runs = Vec::new();
    for (index, line) in printed.lines().enumerate() {
        let Some((name, n)) = line.split_once(' ') else { continue };
        let Ok(n) = n.parse::<f64>() else { continue };
        let path = PathBuf::from(format!("{}.{}", out.display(), index + 1));
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let total = total_of(&text)
            .ok_or_else(|| Failure::new(format!("{} counts nothing for {line}", path.display())))?;
        runs.push((name.to_owned(), n, total));
    }
    let counts: Vec<Count> = runs
        .chunks_exact(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .map(|pair| {
            let ((name, few, of_few), (_, many, of_many)) = (&pair[0], &pair[1]);
            let item = (of_many - of_few) / (many - few);
            Count { name: name.clone(), item, subscription: of_few - item * few }
        })
        .collect();
    if counts.is_empty() || counts.len() * 2 != runs.len() {
        return Err(Failure::new("the cases did not print their names in pairs"));
    }
    Ok(counts)
}

/// The instructions that a file of callgrind's counts.
fn total_of(text: &str) -> Option<f64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok().filter(|total| *total > 0.0)
}

fn table_of(counts: &[Count], compiler: &str) -> String {
    let mut text = String::from(
        "# Instructions of the hot loops in benches/benches/instructions.rs, by callgrind.\n\
         # Written by `cargo xtask instructions --bless`; `cargo xtask instructions` compares.\n",
    );
    text.push_str(&format!("compiler {compiler}\n"));
    text.push_str(&format!("{:20} {:>10} {:>14}\n", "# case", "an item", "a subscription"));
    for Count { name, item, subscription } in counts {
        text.push_str(&format!("{name:20} {item:>10.2} {subscription:>14.0}\n"));
    }
    text
}

/// What is more than the table allows, what the table lacks, and what it has too much of.
fn compare(counts: &[Count], table: &str, compiler: &str) -> Vec<String> {
    let is_same = table.lines().any(|line| line == format!("compiler {compiler}"));
    let tolerance = if is_same { TOLERANCE } else { TOLERANCE_OF_ANOTHER_COMPILER };
    if !is_same {
        println!("the table was made with another compiler: {tolerance} more is allowed");
    }
    let rows: Vec<Count> = table.lines().filter_map(row_of).collect();
    let mut findings = Vec::new();
    for count in counts {
        let Some(row) = rows.iter().find(|row| row.name == count.name) else {
            findings.push(format!("{}: not in {TABLE}", count.name));
            continue;
        };
        let parts = [
            ("an item", count.item, row.item, SLACK_OF_ITEM),
            ("a subscription", count.subscription, row.subscription, SLACK_OF_SUBSCRIPTION),
        ];
        for (what, counted, before, slack) in parts {
            let name = &count.name;
            if counted > before * (1.0 + tolerance) + slack {
                findings.push(format!("{name}: {counted:.2} instead of {before:.2} {what}"));
            } else if counted < before * (1.0 - tolerance) - slack {
                println!("{name}: {counted:.2} instead of {before:.2} {what}, which is less");
            }
        }
    }
    for row in rows.iter().filter(|row| !counts.iter().any(|count| count.name == row.name)) {
        findings.push(format!("{}: in {TABLE}, but not counted", row.name));
    }
    findings
}

fn row_of(line: &str) -> Option<Count> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| !name.starts_with('#'))?.to_owned();
    let item = words.next()?.parse().ok()?;
    Some(Count { name, item, subscription: words.next()?.parse().ok()? })
}

/// Such as `1.95.0`.
fn compiler() -> Result<String, Failure> {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text.ok().and_then(|text| text.split(' ').nth(1).map(str::to_owned));
    version.ok_or_else(|| Failure::new("rustc did not say its version"))
}

#[cfg(test)]
mod tests {
    use super::{Count, TABLE, compare, row_of, table_of, total_of};
    use crate::shell::root;

    fn count(name: &str, item: f64, subscription: f64) -> Count {
        Count { name: name.to_owned(), item, subscription }
    }

    #[test]
    fn what_costs_more_than_the_table_says_is_found() {
        let table = table_of(&[count("a", 10.0, 900.0), count("b", 10.0, 900.0)], "1.2.3");

        let same = compare(&[count("a", 10.1, 905.0), count("b", 9.0, 1.0)], &table, "1.2.3");
        let more = compare(&[count("a", 10.5, 900.0), count("b", 10.0, 990.0)], &table, "1.2.3");
        let other = compare(&[count("a", 14.0, 900.0), count("b", 16.0, 900.0)], &table, "1.3.0");

        assert_eq!(same, [""; 0]);
        assert_eq!(more.len(), 2, "{more:?}");
        assert!(more[0].starts_with("a: 10.50 instead of 10.00 an item"));
        assert_eq!(other.len(), 1, "{other:?}");
    }

    #[test]
    fn a_case_without_a_row_and_a_row_without_a_case_are_found() {
        let table = table_of(&[count("old", 1.0, 1.0)], "1.2.3");

        assert_eq!(compare(&[count("new", 1.0, 1.0)], &table, "1.2.3").len(), 2);
    }

    /// A timer costs the same however many are pending.
    #[test]
    fn the_table_has_timers_of_one_price() {
        let text = std::fs::read_to_string(root().join(TABLE)).unwrap();
        let counts: Vec<f64> = text
            .lines()
            .filter_map(row_of)
            .filter(|row| row.name.starts_with("timer_of_"))
            .map(|row| row.item)
            .collect();

        assert_eq!(counts.len(), 3);
        assert!(counts.iter().all(|count| (count / counts[0] - 1.0).abs() < 0.05), "{counts:?}");
    }

    #[test]
    fn the_total_of_a_dump_is_read() {
        assert_eq!(total_of("events: Ir\nfn=(1)\n1 5\n\ntotals: 1234\n"), Some(1234.0));
        assert_eq!(total_of("totals: 0\n"), None);
    }
}
