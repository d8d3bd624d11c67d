//! Judges any implementation of the [`reactive_streams`] traits by the rules of the specification.
//!
//! [Checks](checks) bring a publisher, a subscriber or a processor into situations in which rules can be broken and
//! record a [trace]; one [checker] each, without clocks, threads or I/O, judges every rule
//! on every trace. Traces may come from elsewhere as well: `rs-tck check-trace FILE`.
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

mod capabilities;
pub mod causes;
mod check;
pub mod checker;
mod clock;
#[cfg(feature = "cli")]
pub mod expectations;
mod failure;
mod harness;
#[cfg(feature = "cli")]
mod harness_main;
mod harness_subscriber;
#[cfg(feature = "cli")]
mod isolate;
mod line;
mod message;
#[cfg(feature = "cli")]
pub mod names;
pub mod originals;
mod probe;
mod property;
pub mod reference;
#[cfg(feature = "cli")]
pub mod report;
mod run;
pub mod selftest;
mod settings;
mod sink;
mod stage;
mod subject;
mod suite;
mod timeline;
pub mod trace;
mod turns;
mod verdict;

pub use capabilities::{AfterCancel, Capabilities, Sharing};
pub use check::{Check, Suite};
#[cfg(feature = "cli")]
pub use harness_main::main;
pub use settings::{InvalidSetting, Overrides, Settings};
pub use stage::Drive;
pub use subject::{
    BlackBoxSubject, Driven, Ends, IntoSubject, ProcessorCapabilities, ProcessorSubject,
    PublisherSubject, Puppet, Subject, SubscriberCapabilities, SubscriberProbe, SubscriberSubject,
};
pub use suite::{checks, dropped};
pub use turns::Turns;
pub use verdict::{Outcome, Verdict};
