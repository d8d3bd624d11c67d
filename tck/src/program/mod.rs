//! The commands of `rs-tck`, a file each.

pub(crate) mod check_trace;
pub(crate) mod explain;
pub(crate) mod list;
pub(crate) mod report;
pub(crate) mod selftest;

use std::process::ExitCode;

/// A command's exit code, or why it could not be understood.
pub(crate) type Answer = Result<ExitCode, String>;

/// A rule was broken.
pub(crate) const BROKEN: u8 = 1;
/// There was nothing to judge.
pub(crate) const NOTHING: u8 = 3;
