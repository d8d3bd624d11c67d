//! `Item`: a number that is counted while it is alive.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

/// A number that is counted as long as it, or a clone of it, is alive: an item of a flow whose
/// leaks are looked for.
///
/// It is compared, hashed and printed as its number, and derefs to it.
///
/// # Examples
///
/// ```
/// use millstream_testkit::Items;
///
/// let items = Items::new();
/// let flow = millstream::from_iter(items.numbers(0..9)).filter(|n| n.number() % 2 == 0);
/// assert_eq!(flow.count().wait()?, 5);
/// assert_eq!(items.n_alive(), 0);
/// # Ok::<(), millstream::Error>(())
/// ```
#[derive(Clone)]
pub struct Item {
    number: u64,
    /// Held for its count.
    _counted: Arc<()>,
}

/// Makes [`Item`]s, and says how many are alive.
#[derive(Default)]
pub struct Items(Arc<()>);

impl Items {
    /// A count of none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An item of this number.
    #[must_use]
    pub fn item(&self, number: u64) -> Item {
        Item { number, _counted: Arc::clone(&self.0) }
    }

    /// Items of these numbers, each made when it is asked for.
    pub fn numbers<I>(&self, numbers: I) -> impl Iterator<Item = Item> + use<I>
    where
        I: IntoIterator<Item = u64>,
    {
        let counted = Arc::clone(&self.0);
        numbers.into_iter().map(move |number| Item { number, _counted: Arc::clone(&counted) })
    }

    /// How many items are alive, clones among them.
    #[must_use]
    pub fn n_alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

impl Item {
    /// The number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Deref for Item {
    type Target = u64;

    fn deref(&self) -> &u64 {
        &self.number
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Item {}

impl PartialEq<u64> for Item {
    fn eq(&self, other: &u64) -> bool {
        self.number == *other
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.number, f)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.number, f)
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("n_alive", &self.n_alive()).finish()
    }
}
