//! Checks as tests: macros for libtest, and a `main` of their own.

#[cfg(feature = "cli")]
mod isolate;
#[cfg(feature = "cli")]
pub(crate) mod judge;
#[cfg(feature = "cli")]
pub(crate) mod main;
#[cfg(feature = "cli")]
mod options;
mod publisher_tests;
mod subscriber_tests;
