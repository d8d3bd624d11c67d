//! `Admit`: policies that hand out permits, and what is done with one.

mod now;
mod wait;

use std::future::Future;

pub use self::{now::TryAdmitting, wait::Admitting};
use crate::{Class, Outcome, Permit, Rejected};

/// A policy that decides which calls are made now, and hands out a permit for each.
///
/// The operators [`admit`](crate::FlowExt::admit) and [`try_admit`](crate::FlowExt::try_admit)
/// take any of them, and one of one's own as well.
pub trait Admit: Clone + Send + Sync + 'static {
    /// A permit for a call of `class`, if it may be made now. Never waits.
    ///
    /// # Errors
    ///
    /// Why it may not, and when it may be worth another attempt.
    fn try_admit(&self, class: Class) -> Result<Permit, Rejected<()>>;

    /// Waits for a permit. Dropping the future gives up, and holds nothing.
    fn admit(&self, class: Class) -> impl Future<Output = Result<Permit, Rejected<()>>> + Send;
}

/// An item with the permit for what is to be done with it.
///
/// Dropped without being finished, it counts as canceled.
#[derive(Debug)]
#[must_use = "an item that is dropped counts as canceled"]
pub struct Admitted<T> {
    /// The item.
    pub item: T,
    /// Its permit.
    pub permit: Permit,
}

impl<T> Admitted<T> {
    /// Finishes the permit, and gives the item out.
    pub fn finish(self, outcome: Outcome) -> T {
        self.permit.finish(outcome);
        self.item
    }

    /// Makes the call, and finishes the permit by its result: a success or a failure. Dropped
    /// before it is done, it counts as canceled.
    ///
    /// # Errors
    ///
    /// Those of `call`.
    pub async fn run<Fut, U, E>(self, call: impl FnOnce(T) -> Fut) -> Result<U, E>
    where
        Fut: Future<Output = Result<U, E>>,
    {
        let result = call(self.item).await;
        self.permit.finish(if result.is_ok() { Outcome::Success } else { Outcome::Failure });
        result
    }
}
