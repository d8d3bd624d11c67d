//! Wake-ups: who is woken, by whom, and why.

mod alarm;
mod listener;
pub mod oneshot;
mod ready_set;
mod waker;

pub use self::{alarm::Alarm, listener::Listener, ready_set::ReadySet, waker::TaskWaker};
