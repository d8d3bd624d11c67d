//! The commands, one file each.

pub(crate) mod bench_smoke;
pub(crate) mod book;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod features;
pub(crate) mod models;
pub(crate) mod test;
