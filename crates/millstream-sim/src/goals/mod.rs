//! The goals that policies are held to, measured: what `cargo xtask pressure-report` runs.

mod checks;
mod matrix;
mod page;
mod rows;

pub use self::{
    matrix::{Case, Row, drift, hold_out, main_cases, settling},
    page::page,
    rows::{Depth, Findings, Goal, goals},
};
