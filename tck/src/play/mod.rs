//! Playing a case: the TCK is the other side of the subject, and records what the subject does.

pub(crate) mod clock;
pub(crate) mod deliberate_error;
pub(crate) mod event_log;
pub(crate) mod item;
pub(crate) mod probe;
mod recorder;
pub(crate) mod run;
pub(crate) mod stage;
pub(crate) mod turns;
pub(crate) mod upstream;
