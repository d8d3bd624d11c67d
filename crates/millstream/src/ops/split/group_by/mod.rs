//! `group_by`, `group_map`: a flow for each key.

mod group;
mod port;
mod source;
mod table;

use std::hash::Hash;

pub use group::Group;

use reactive_streams::{Publisher, Subscriber};

use self::source::Limits;
use crate::{
    FlatMap, Flow,
    parts::{fan_in::PREFETCH, inlet::check_capacity},
};

/// What gives way in [`group_by`](Flow::group_by) when a key comes that has no group, and there is no
/// room for another one.
///
/// There is none when `max_groups` groups are open, or when the downstream asks for no group and has as
/// many as it takes at a time: what it asked for at first, which is the concurrency of a
/// [`flat_map`](Flow::flat_map) behind it. While it has fewer, it is about to ask for one in place of
/// one that ended, and that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupPolicy {
    /// The flow fails with an error of kind `Overflow`, which says what number to raise: for a number of
    /// keys that is known to be limited. A downstream that has asked for more groups later takes more.
    Fail,
    /// The group that was opened first completes, after the items that wait in it; a later item with its
    /// key opens a new one. For keys without limit: this never waits for a group to end by itself.
    ///
    /// Of groups that were completed in this way, as many as `max_groups` may have items left; only then
    /// the source waits.
    EvictOldest,
    /// The item is held back, and the source is not asked, until there is room: for groups that end by
    /// themselves, such as by [`take`](Flow::take) or [`take_until`](Flow::take_until).
    ///
    /// If none of them ends before the source, this waits forever. A place of
    /// [`inspect_demand`](Flow::inspect_demand) right behind then shows groups, and nothing asked for.
    Wait,
}

impl<P: Publisher> Flow<P> {
    /// Splits a flow into one for each key: a flow of groups.
    ///
    /// A group is a flow of the items that have its [`key`](Flow::key), in order, for one subscriber. Up
    /// to `max_groups` of them are open at a time; `policy` says what gives way to another one. Keys are
    /// looked up by one hash an item, and those of groups that are gone are not remembered: when a group
    /// was cancelled or dropped, or was completed by the policy, the next item with its key opens a new
    /// group.
    ///
    /// Take from all groups at the same time, or drop them: one that nobody takes from fills up, and then
    /// all wait for it, whatever the policy. One group after the other, as by
    /// [`concat_map`](Self::concat_map), needs groups that fit into `capacity`.
    ///
    /// All groups are signalled on one thread at a time, that which makes an item due; for work on
    /// several threads, hand groups over by [`publish_on`](Self::publish_on) or
    /// [`map_async`](Self::map_async). Where each group becomes a flow, see
    /// [`group_map`](Self::group_map), in which numbers that do not fit cannot be written.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for 32 items, and for 24
    /// again whenever as many have found their group, whether or not more groups are asked for. An item
    /// goes to the subscriber of its group at once if that has asked for it; otherwise up to `capacity`
    /// items wait in the group, also before it is subscribed to. A group that is full holds the source
    /// back, and with it the other groups.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. So do the groups, right before it or when the items that wait
    /// in them have been taken. If `key` panics, or the `Hash`, `Eq` or `Clone` of what it returns,
    /// all fail with an error of kind `Panicked`. A panic of a subscriber fails that subscriber alone.
    ///
    /// A cancel of the flow of groups leaves those that are there: they go on, and items with other keys
    /// are dropped. The source is cancelled when the flow of groups and all groups are cancelled or
    /// dropped.
    ///
    /// # Panics
    ///
    /// If `max_groups` or `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::GroupPolicy::Fail;
    ///
    /// let words = ["apple", "bean", "avocado", "cherry", "banana"];
    /// let numbered = millstream::from_iter(words)
    ///     .group_by(26, 8, Fail, |word| word.chars().next())
    ///     .flat_map(26, 8, |group| {
    ///         let letter = group.key().unwrap_or('-');
    ///         group.enumerate().map(move |(n, word)| format!("{letter}{n} {word}"))
    ///     });
    /// let mut numbered: Vec<_> = numbered.collect().wait()?;
    /// numbered.sort();
    /// assert_eq!(numbered, ["a0 apple", "a1 avocado", "b0 bean", "b1 banana", "c0 cherry"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    ///
    /// The keys that were opened last, two at a time:
    ///
    /// ```
    /// use millstream::GroupPolicy::EvictOldest;
    /// use millstream_testkit::marbles::check;
    ///
    /// check(
    ///     "--a--b--a--c--a--|",
    ///     |letters| {
    ///         letters
    ///             .group_by(2, 4, EvictOldest, |letter| *letter)
    ///             .flat_map(2, 4, |group| group.enumerate().map(|(n, letter)| format!("{letter}{n}")))
    ///     },
    ///     "--[a0]--[b0]--[a1]--[c0]--[a0]--|",
    /// );
    /// ```
    #[track_caller]
    pub fn group_by<K, F>(
        self,
        max_groups: usize,
        capacity: usize,
        policy: GroupPolicy,
        key: F,
    ) -> Flow<GroupBy<P, F>>
    where
        K: Eq + Hash + Clone + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        check_capacity(max_groups);
        check_capacity(capacity);
        Flow {
            source: GroupBy {
                source: self.source,
                key,
                limits: Limits { max_groups, capacity, policy },
            },
        }
    }

    /// Splits a flow by key, turns each group into a flow by `f`, and passes the items of all of them on
    /// as they come.
    ///
    /// This is [`group_by`](Self::group_by) with a [`flat_map`](Self::flat_map) behind it that runs all
    /// groups that are open, so that none waits for another one to end.
    ///
    /// # Demand
    ///
    /// As [`group_by`](Self::group_by). The flow of each group is asked for 32 items when it begins, and
    /// for 24 again whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// As [`flat_map`](Self::flat_map). A cancel reaches the source.
    ///
    /// # Panics
    ///
    /// If `max_groups` or `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::GroupPolicy::Fail;
    ///
    /// // The items in pairs of even and of odd ones.
    /// let pairs = millstream::range(1..=6).group_map(2, 4, Fail, |n| n % 2, |group| group.buffer(2));
    /// let mut pairs: Vec<_> = pairs.collect().wait()?;
    /// pairs.sort();
    /// assert_eq!(pairs, [vec![1, 3], vec![2, 4], vec![5], vec![6]]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn group_map<K, F, G, Q>(
        self,
        max_groups: usize,
        capacity: usize,
        policy: GroupPolicy,
        key: F,
        f: G,
    ) -> Flow<FlatMap<GroupBy<P, F>, G>>
    where
        P::Item: Send + 'static,
        K: Eq + Hash + Clone + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
        G: FnMut(Flow<Group<K, P::Item>>) -> Q + Send + 'static,
        Q: Publisher,
    {
        self.group_by(max_groups, capacity, policy, key).flat_map(max_groups, PREFETCH, f)
    }
}

/// Publisher returned by [`Flow::group_by`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct GroupBy<P, F> {
    source: P,
    key: F,
    limits: Limits,
}

impl<P, K, F> Publisher for GroupBy<P, F>
where
    P: Publisher<Item: Send + 'static>,
    K: Eq + Hash + Clone + Send + 'static,
    F: FnMut(&P::Item) -> K + Send + 'static,
{
    type Item = Flow<Group<K, P::Item>>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        source::subscribe(self.source, self.key, self.limits, downstream);
    }
}

opaque_debug!(GroupBy<P, F>);

// The prefetched items, and those of the groups that are open, or were evicted and have some left.
backpressure!(GroupBy<P, F>, Queue, |this| {
    let Limits { max_groups, capacity, policy } = this.limits;
    let n_groups = match policy {
        GroupPolicy::EvictOldest => max_groups.saturating_mul(2),
        GroupPolicy::Fail | GroupPolicy::Wait => max_groups,
    };
    PREFETCH.saturating_add(n_groups.saturating_mul(capacity))
});
