//! `Overflow`: what becomes of an item that finds a queue full, and its producer cannot wait.

use millstream_kernel::Evict;

/// What becomes of an item that finds a queue full.
///
/// It is the same wherever items wait that nobody asked for yet: in
/// [`on_backpressure_buffer`](crate::Flow::on_backpressure_buffer), and for each subscriber of a
/// [hub](crate::hub::Policy::Buffered). A producer that can wait, be slowed down or be refused
/// takes the `Queue` of `millstream-pressure`, whose `WhenFull` says what it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The item that waits longest goes; the new one is taken.
    DropOldest,
    /// The new item goes.
    #[doc(alias = "drop_newest")]
    DropIncoming,
    /// The youngest of those that wait goes; the new one is taken in its place.
    ReplaceNewest,
    /// All that wait go; the new one is taken.
    Clear,
    /// The new item goes, and the stream fails with an error of kind `Overflow`, after the items
    /// that wait.
    Fail,
}

impl Overflow {
    /// Which item goes.
    pub(crate) fn evicts(self) -> Evict {
        match self {
            Self::DropOldest => Evict::Oldest,
            Self::ReplaceNewest => Evict::Newest,
            Self::Clear => Evict::All,
            Self::DropIncoming | Self::Fail => Evict::Incoming,
        }
    }
}
