//! Writes the book's pages on performance, and their charts, from what the benchmarks measured
//! last.
//!
//! `cargo xtask bench-report` runs it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says what it wrote")]

mod charts;
mod machine;
mod measured;
mod page;
mod peers;

use std::{fs, io, path::Path};

use measured::Measured;
use millstream_benches::record::{self, target_dir};
use peers::Turns;

fn main() -> io::Result<()> {
    let measured =
        Measured::read(&target_dir().join("criterion"))?.with_turns(&record::read("turns"));
    let turns = Turns::read(&target_dir().join("millstream-bench"))?;
    if measured.is_empty() && turns.is_empty() {
        let text = "nothing was measured yet: run `cargo xtask bench-report --run`";
        return Err(io::Error::other(text));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book/src");
    // Who measured says how; alone, it is not known how long each benchmark was given.
    let command = std::env::args().nth(1).unwrap_or_else(|| "cargo bench".to_owned());
    // An older run of the others is not this command's.
    let is_of_peers_alone = std::env::args().nth(2).is_some_and(|arg| arg == "--peers-alone");
    // What was not measured keeps its page.
    if !turns.is_empty() {
        let text = peers::text(&turns, &machine::describe(1.0), &command);
        write(&folder.join("performance-peers.md"), &text)?;
    }
    if !measured.is_empty() && !is_of_peers_alone {
        for (name, svg) in charts::all(&measured) {
            write(&folder.join(name), &svg)?;
        }
        let text = page::text(&measured, &machine::describe(2.0), &command);
        write(&folder.join("performance.md"), &text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    println!("written: {}", path.display());
    Ok(())
}
