//! What policies do, one question a test.

mod parts;
