//! Operators, sources and schedulers, seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod again;
mod at_hand;
mod bounded;
mod bridge;
mod busy;
mod cancel;
mod chains;
mod combine;
mod demand;
mod early_ends;
mod ends;
mod error_modes;
mod fairness;
mod fan_in;
mod groups;
mod hub;
mod lifecycle;
mod lifecycle_model;
mod model;
mod overflow;
mod panics;
mod peers;
mod registry;
mod seeds;
mod shape;
mod shape_model;
mod shutdown;
mod surroundings;
mod threads;
mod time;
mod timers;
#[cfg(feature = "tracing")]
mod traced;
mod window;
mod window_timeout;
