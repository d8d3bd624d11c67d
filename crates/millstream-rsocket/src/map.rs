//! Tables of streams.

use std::collections::HashMap;

/// A table with a hash that costs a few instructions, for keys that are small numbers.
///
/// Peers choose numbers of streams. The hash has a seed of this process, and a peer can have as
/// many streams open as [`max_streams`](crate::proto::Config::max_streams) says, so that one that
/// guesses the seed makes a look-up longer, and no longer than that.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
