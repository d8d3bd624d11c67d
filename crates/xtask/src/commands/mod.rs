//! The commands, one file each.

mod bench_peers;
pub(crate) mod bench_report;
pub(crate) mod bench_smoke;
pub(crate) mod book;
pub(crate) mod build_cost;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod features;
pub(crate) mod instructions;
pub(crate) mod judge;
pub(crate) mod kill9;
pub(crate) mod models;
pub(crate) mod mutants;
pub(crate) mod package;
pub(crate) mod page;
pub(crate) mod pressure_report;
pub(crate) mod rsocket;
pub(crate) mod sanitize;
pub(crate) mod servers;
pub(crate) mod test;
