//! The commands of `rs-tck`, a file each.

pub(crate) mod adapters;
pub(crate) mod check_trace;
pub(crate) mod explain;
pub(crate) mod list;
pub(crate) mod report;
pub(crate) mod selftest;

use std::{
    fmt,
    io::{self, Write as _},
    process::ExitCode,
};

/// A command's exit code, or why it could not be understood.
pub(crate) type Answer = Result<ExitCode, String>;

/// A rule was broken.
pub(crate) const BROKEN: u8 = 1;
/// There was nothing to judge.
pub(crate) const NOTHING: u8 = 3;

/// `println!` to a reader that may have gone, as `head` does.
macro_rules! say {
    ($($arguments:tt)*) => {
        $crate::program::write_line(format_args!($($arguments)*))
    };
}
pub(crate) use say;

/// Writes a line; ends the program if nobody reads it.
pub(crate) fn write_line(line: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout().lock(), "{line}") {
        let is_gone = error.kind() == io::ErrorKind::BrokenPipe;
        std::process::exit(if is_gone { 0 } else { 2 });
    }
}
