//! `Weigh`: what an item weighs, beside being one item.

/// What an item weighs: bytes, or cost. A closure is one.
///
/// Weighed once, where the item enters; what it weighed then is what leaves with it. A weight of 0
/// counts against the number of items alone. A panic of the closure reaches the caller before the
/// item was counted, so that the ledger stays whole.
pub trait Weigh<T>: Send + Sync + 'static {
    /// The weight of `item`.
    fn weigh(&self, item: &T) -> u64;
}

/// Items weigh nothing: only their number is bounded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Items;

impl<T> Weigh<T> for Items {
    #[inline]
    fn weigh(&self, _: &T) -> u64 {
        0
    }
}

impl<T, F: Fn(&T) -> u64 + Send + Sync + 'static> Weigh<T> for F {
    #[inline]
    fn weigh(&self, item: &T) -> u64 {
        self(item)
    }
}
