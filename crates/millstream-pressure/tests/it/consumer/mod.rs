//! The consumer: its polls, its batches, its lag, its workers and the pool behind it.

mod batch;
mod lag;
mod poll;
mod pool;
mod scale;
