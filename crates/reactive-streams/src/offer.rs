//! What became of an offered item.

/// A subscriber's answer to [`Subscriber::offer`](crate::Subscriber::offer).
///
/// The answer saves signals in the other direction: a filter that drops an item answers `Skipped`
/// instead of calling `request(1)`, and a `take` that has seen enough answers `Finished` instead of
/// calling `cancel()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a skipped item leaves its demand unused, and a finished subscriber takes no more"]
pub enum Offer {
    /// The item was taken and used one unit of demand.
    Accepted,
    /// The item was dropped and used no demand: another one may be sent in its place.
    Skipped,
    /// The item was taken, and it was the last one: the publisher stops as if it had been
    /// canceled, sends no terminal signal, and drops the subscriber.
    Finished,
}
