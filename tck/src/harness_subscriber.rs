//! The macros that make tests of checks of subscribers and processors.
