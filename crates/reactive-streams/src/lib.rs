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
//! A subscriber that asks for one item at a time, and a publisher that sends what was asked for:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use reactive_streams::{Error, Publisher, Subscriber, Subscription};
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
//!
//! /// Counts what was asked for; a publisher that runs by itself would be woken by it.
//! #[derive(Default)]
//! struct Asked(Mutex<u64>);
//!
//! impl Subscription for Asked {
//!     fn request(&self, n: u64) {
//!         *self.0.lock().unwrap() += n;
//!     }
//!     fn cancel(&self) {}
//! }
//!
//! /// Sends 1, 2 and 3 on the thread that subscribes.
//! struct OneTwoThree;
//!
//! impl Publisher for OneTwoThree {
//!     type Item = u32;
//!
//!     fn subscribe<S: Subscriber<u32>>(self, mut subscriber: S) {
//!         let asked = Arc::new(Asked::default());
//!         subscriber.on_subscribe(Arc::clone(&asked) as Arc<dyn Subscription>);
//!         for item in 1..=3 {
//!             // A whole publisher would wait for a request here, and look for a cancel.
//!             match &mut *asked.0.lock().unwrap() {
//!                 0 => return,
//!                 n => *n -= 1,
//!             }
//!             subscriber.on_next(item);
//!         }
//!         subscriber.on_complete();
//!     }
//! }
//!
//! let subscriber = OneByOne::default();
//! let seen = Arc::clone(&subscriber.seen);
//! OneTwoThree.subscribe(subscriber);
//! assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
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
