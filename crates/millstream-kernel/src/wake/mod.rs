//! Wake-ups: of tasks, of listeners that arrive late, from timers, and for many sources at once.

mod alarm;
mod listener;
pub mod oneshot;
mod ready_set;
mod waker;

pub use self::{alarm::Alarm, listener::Listener, ready_set::ReadySet, waker::TaskWaker};
