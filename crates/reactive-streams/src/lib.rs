//! The Reactive Streams contract for Rust.
//!
//! A [`Publisher`] sends items to a [`Subscriber`], but never more than the subscriber asked for
//! through its [`Subscription`]. That one number, the *demand*, is what keeps a fast producer from
//! overwhelming a slow consumer: it travels from the end of a pipeline to its beginning, and no
//! queue in between has to grow.
//!
//! This crate holds the traits, the one [`Error`] type that signals carry, the [`Demand`]
//! arithmetic and the specification's 43 [rules] as data. It has no dependencies and needs
//! only `alloc`; everything that runs lives in other crates.
//!
//! # Examples
//!
//! A publisher of three numbers that obeys its subscriber's demand, and a subscriber that asks for
//! one item at a time:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use reactive_streams::{Error, Subscriber, Subscription};
//!
//! #[derive(Default)]
//! struct OneByOne {
//!     subscription: Option<Arc<dyn Subscription>>,
//!     seen: Arc<Mutex<Vec<u32>>>,
//! }
//!
//! impl Subscriber<u32> for OneByOne {
//!     fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
//!         subscription.request(1);
//!         self.subscription = Some(subscription);
//!     }
//!     fn on_next(&mut self, item: u32) {
//!         self.seen.lock().unwrap().push(item);
//!         if let Some(subscription) = &self.subscription {
//!             subscription.request(1);
//!         }
//!     }
//!     fn on_error(self, error: Error) {
//!         panic!("{error}");
//!     }
//!     fn on_complete(self) {}
//! }
//! # let _subscriber = OneByOne::default();
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod boxed;
mod demand;
mod error;
mod offer;
pub mod rules;
mod traits;

pub use boxed::{BoxClonePublisher, BoxPublisher, BoxSubscriber};
pub use demand::Demand;
pub use error::{Error, ErrorKind};
pub use offer::Offer;
pub use rules::rule;
pub use traits::{Processor, Publisher, Subscriber, Subscription};
