//! `millstream spill`: looks after the files of a durable queue.

use std::{
    io::{self, Write},
    ops::ControlFlow,
    path::PathBuf,
};

use clap::ValueEnum;
use millstream_spill::{Damage, storage::Disk, tool};

use crate::{Found, Outcome};

/// Those that look change nothing and take no lock, so that a queue in use can be looked at.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Lists the files: each segment with its first item and its size.
    Ls(Directory),
    /// Reads everything. Ends with 1 if something is damaged or does not belong there.
    Verify(Directory),
    /// Puts aside what cannot be used, so that the queue opens again, and says what is lost.
    ///
    /// The queue must not be open. Nothing is deleted.
    Repair(Directory),
    /// Writes the items that can be read, oldest first.
    ///
    /// Acknowledged ones are among them while their segment is there.
    Dump(Dump),
}

/// Where the queue is.
#[derive(Debug, clap::Args)]
pub(crate) struct Directory {
    /// The directory of the queue.
    directory: PathBuf,
}

/// What is dumped, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Dump {
    #[command(flatten)]
    at: Directory,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// At most this many items.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    /// A line for each: its number, a tab, and the bytes as text, escaped where they are none.
    Text,
    /// A line for each: its number, a tab, and the bytes in hexadecimal.
    Hex,
    /// The bytes alone, one item after the other.
    Raw,
}

impl Command {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        match self {
            Self::Ls(at) => ls(&at.disk()?, out),
            Self::Verify(at) => verify(&at.disk()?, out),
            Self::Repair(at) => repair(&at.disk()?, out),
            Self::Dump(dump) => dump.run(out),
        }
    }
}

impl Directory {
    /// The storage of a queue that is there: one that is not would be made.
    fn disk(&self) -> Result<Disk, String> {
        let Self { directory } = self;
        if directory.is_dir() {
            Ok(Disk::new(directory))
        } else {
            Err(format!("{}: there is no such directory", directory.display()))
        }
    }
}

fn ls(disk: &Disk, out: &mut dyn Write) -> Outcome {
    let listing = tool::ls(disk, None)?;
    let number = |n: Option<u64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
    writeln!(out, "queue   {}", listing.queue.map_or("none".to_owned(), |n| format!("{n:016x}")))?;
    writeln!(out, "cursor  {}", number(listing.cursor))?;
    for segment in &listing.segments {
        let away = if segment.is_away { "  in the tier" } else { "" };
        writeln!(out, "{}  from {}  {} bytes{away}", segment.file, segment.base, segment.bytes)?;
    }
    Ok(Found::Good)
}

fn verify(disk: &Disk, out: &mut dyn Write) -> Outcome {
    let report = tool::verify(disk, None)?;
    writeln!(out, "items       {}", report.items)?;
    writeln!(out, "torn bytes  {}", report.torn_bytes)?;
    let mut wrong: Vec<String> = report.damaged.iter().map(lost).collect();
    let strangers = report.strangers.iter();
    wrong.extend(strangers.map(|file| format!("{file}: of another queue, or of a newer version")));
    Ok(if wrong.is_empty() { Found::Good } else { Found::Bad(wrong) })
}

fn repair(disk: &Disk, out: &mut dyn Write) -> Outcome {
    let repaired = tool::repair(disk, None)?;
    for damage in &repaired.lost {
        writeln!(out, "{}", lost(damage))?;
    }
    for file in &repaired.aside {
        writeln!(out, "put aside: {file}")?;
    }
    writeln!(out, "torn bytes cut off: {}", repaired.torn_bytes)?;
    Ok(Found::Good)
}

fn lost(damage: &Damage) -> String {
    let Damage { file, offset, why, from, to, .. } = damage;
    format!("{file}, byte {offset}: {why}; items {from} to {} are lost", to.saturating_sub(1))
}

impl Dump {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let Self { at, format, limit } = self;
        let mut n_left = limit.unwrap_or(u64::MAX);
        let mut written: io::Result<()> = Ok(());
        tool::dump(&at.disk()?, |sequence, payload| {
            if n_left == 0 {
                return ControlFlow::Break(());
            }
            n_left -= 1;
            written = write_item(out, format, sequence, payload);
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        written?;
        Ok(Found::Good)
    }
}

fn write_item(
    out: &mut dyn Write,
    format: Format,
    sequence: u64,
    payload: &[u8],
) -> io::Result<()> {
    match format {
        Format::Text => match std::str::from_utf8(payload) {
            Ok(text) => writeln!(out, "{sequence}\t{}", text.escape_debug()),
            Err(_) => writeln!(out, "{sequence}\t{}", payload.escape_ascii()),
        },
        Format::Hex => {
            write!(out, "{sequence}\t")?;
            payload.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
            writeln!(out)
        }
        Format::Raw => out.write_all(payload),
    }
}
