//! Shared: how many groups may be open, and what gives way to another one.

#[cfg(doc)]
use crate::Flow;
use crate::parts::fan_in::PREFETCH;

/// What gives way in [`group_by`](Flow::group_by) when a key comes that has no group, and there is
/// no room for another one.
///
/// There is none when `max_groups` groups are open, or when the downstream asks for no group and
/// has as many as it takes at a time: what it asked for at first, which is the concurrency of a
/// [`flat_map`](Flow::flat_map) behind it. While it has fewer, it is about to ask for one in place of
/// one that ended, and that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupPolicy {
    /// The flow fails with an error of kind `Overflow`, which says what number to raise: for a
    /// number of keys that is known to be limited. A downstream that has asked for more groups
    /// later takes more.
    Fail,
    /// The group that was opened first completes, after the items that wait in it; a later item
    /// with its key opens a new one. For keys without limit: this never waits for a group to end by
    /// itself.
    ///
    /// Of groups that were completed in this way, as many as `max_groups` may have items left; only
    /// then the source waits.
    EvictOldest,
    /// The item is held back, and the source is not asked, until there is room: for groups that end
    /// by themselves, such as by [`take`](Flow::take) or [`take_until`](Flow::take_until).
    ///
    /// If none of them ends before the source, this waits forever. A place of
    /// [`inspect_demand`](Flow::inspect_demand) right behind then shows groups, and nothing asked for.
    Wait,
}

/// How many groups may be open, how many items wait in each, and what gives way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_groups: usize,
    pub(crate) capacity: usize,
    pub(crate) policy: GroupPolicy,
}

impl Limits {
    /// 1024 groups of 32 items, and no other.
    pub(crate) const DEFAULT: Self =
        Self { max_groups: 1024, capacity: PREFETCH, policy: GroupPolicy::Fail };

    /// How many items wait in groups at most: in those that are open, or were evicted and have some
    /// left.
    pub(crate) fn n_held(self) -> usize {
        let Self { max_groups, capacity, policy } = self;
        let n_groups = match policy {
            GroupPolicy::EvictOldest => max_groups.saturating_mul(2),
            GroupPolicy::Fail | GroupPolicy::Wait => max_groups,
        };
        n_groups.saturating_mul(capacity)
    }
}
