//! Operators in their corners. They stand apart from `it`, so that neither takes long to compile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod context;
mod control;
mod copies;
mod futures_in_order;
mod gather;
mod parts;
mod priorities;
mod weights;
