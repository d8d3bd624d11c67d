//! Judges any implementation of the [`reactive_streams`] traits by the rules of the specification.
//!
//! [Checks](checks) bring a publisher, a subscriber or a processor into situations in which rules can be broken and
//! record a [trace]; one [checker] each, without clocks, threads or I/O, judges every rule
//! on every trace. Traces may come from elsewhere as well: `rs-tck check-trace FILE`.
//! Subjects may be in other processes and languages: `rs-tck judge -- COMMAND`.
//!
//! # Examples
//!
//! ```
//! # use reactive_streams::{Publisher, Subscriber};
//! # #[derive(Debug)]
//! # struct Mine;
//! # impl Mine { fn of(_: u64) -> Self { Self } }
//! # impl Publisher for Mine {
//! #     type Item = u64;
//! #     fn subscribe<S: Subscriber<u64>>(self, _: S) {}
//! # }
//! use reactive_streams_tck::{Capabilities, publisher_tests};
//!
//! // One named test per check: `cargo test -- rule_3_9`.
//! publisher_tests!(mine, |n| Mine::of(n));
//! publisher_tests!(mine_up_to_one, |n| Mine::of(n), Capabilities::new().max_length(1));
//! ```
//!
//! [`subscriber_tests!`] and [`processor_tests!`] do the same for the other traits; what is more than
//! a line is a [`PublisherSubject`], a [`SubscriberSubject`], a [`BlackBoxSubject`] or a
//! [`ProcessorSubject`].

#![forbid(unsafe_code)]

pub mod advice;
mod capabilities;
mod check;
pub mod checker;
mod conclude;
#[cfg(feature = "cli")]
pub mod expectations;
mod harness;
pub mod jvm_tests;
mod message;
mod play;
mod random;
pub mod reference;
#[cfg(feature = "cli")]
pub mod remote;
#[cfg(feature = "cli")]
pub mod report;
pub mod selftest;
mod settings;
mod subject;
#[cfg(feature = "cli")]
pub mod suggest;
mod suite;
mod sync;
mod timeline;
pub mod trace;
mod verdict;

pub use capabilities::{AfterCancel, Capabilities, Numbering, Sharing};
pub use check::{Check, Suite};
#[cfg(feature = "cli")]
pub use harness::{judge::judge, main::main};
pub use play::{stage::Drive, turns::Turns};
pub use settings::{InvalidSetting, Overrides, Settings};
pub use subject::{
    BlackBoxSubject, Driven, Ends, IntoSubject, Probed, ProcessorCapabilities, ProcessorSubject,
    PublisherSubject, Puppet, Subject, SubscriberCapabilities, SubscriberProbe, SubscriberSubject,
};
pub use suite::{checks, dropped};
pub use verdict::{Outcome, Verdict};

/// The book's pages, whose examples are run.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../docs/book/src/tck-protocol.md")]
    mod protocol {}
    #[doc = include_str!("../../docs/book/src/tck-others.md")]
    mod others {}
}
