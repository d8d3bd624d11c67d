//! `Rejected`: a refusal that gives the item back.

use std::{error, fmt, time::Duration};

use crate::Reason;

/// A refusal. The item comes back.
///
/// ```
/// use millstream_pressure::{Reason, Rejected};
/// use std::time::Duration;
///
/// let rejected = Rejected::new("order 7", Reason::Full).retry_after(Duration::from_millis(20));
/// assert_eq!(
///     rejected.to_string(),
///     "no room: retry later, or raise the capacity (retry after 20ms)",
/// );
/// assert_eq!(rejected.into_item(), "order 7");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "the item is in here"]
pub struct Rejected<T> {
    /// What was refused.
    pub item: T,
    /// Why.
    pub reason: Reason,
    /// When it may be worth another attempt, if that can be computed.
    pub retry_after: Option<Duration>,
}

impl<T> Rejected<T> {
    /// A refusal of `item`.
    pub const fn new(item: T, reason: Reason) -> Self {
        Self { item, reason, retry_after: None }
    }

    /// Says when it may be worth another attempt.
    pub fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// The item.
    pub fn into_item(self) -> T {
        self.item
    }

    /// The same refusal of something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Rejected<U> {
        Rejected { item: f(self.item), reason: self.reason, retry_after: self.retry_after }
    }
}

impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_after {
            Some(delay) => write!(f, "{} (retry after {delay:?})", self.reason),
            None => fmt::Display::fmt(&self.reason, f),
        }
    }
}

impl<T> fmt::Debug for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("reason", &self.reason)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl<T> error::Error for Rejected<T> {}
