//! Starts and ends the servers that tests of connectors talk to.
//!
//! Each server has a directory and a port of its own, listens on this machine alone, and is ended
//! by its own process id, also when the test panics. Where a program is missing, a test skips with
//! a message; with `MILLSTREAM_SERVERS=required` in the environment, as in the pipeline, it fails.
//!
//! `cargo xtask servers install` gets the programs, and `start` runs them at a desk.
//!
//! ```
//! use millstream_testservers::Nats;
//!
//! let Some(mut nats) = Nats::start() else { return };
//! assert!(nats.url().starts_with("nats://127.0.0.1:"));
//! nats.kill(); // as a crash does
//! nats.restart(); // with the same port and directory
//! ```

#![forbid(unsafe_code)]

mod kafka;
mod nats;
mod process;
mod proxy;
mod rabbit;
mod redis;

pub use self::{
    kafka::{Kafka, KafkaSetup},
    nats::{Nats, NatsSetup},
    process::find,
    proxy::{Fault, Proxy},
    rabbit::{Rabbit, RabbitSetup},
    redis::Redis,
};
