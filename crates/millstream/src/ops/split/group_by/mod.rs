//! `group_by`: a flow for each key.

mod group;
mod limits;
mod port;
mod source;
mod table;

use std::hash::Hash;

pub use group::Group;
pub use limits::GroupPolicy;
pub(super) use limits::Limits;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{fan_in::PREFETCH, inlet::check_capacity},
};

impl<P: Publisher> Flow<P> {
    /// Splits a flow into one for each key: a flow of groups.
    ///
    /// A group is a flow of the items that have its [`key`](Flow::key), in order, for one
    /// subscriber. Up to 1024 of them are open at a time, unless [`max_groups`](Flow::max_groups)
    /// sets another bound;
    /// [`policy`](Flow::policy) says what gives way to another one, and without it the flow fails. Keys are
    /// looked up by one hash an item, and those of groups that are gone are not remembered: when a
    /// group was canceled or dropped, or was completed by the policy, the next item with its key
    /// opens a new group.
    ///
    /// Take from all groups at the same time, or drop them: one that nobody takes from fills up,
    /// and then all wait for it, whatever the policy. One group after the other, as by
    /// [`concat_map`](Self::concat_map), needs groups that fit into their capacity.
    ///
    /// All groups are signaled on one thread at a time, that which makes an item due; for work on
    /// several threads, hand groups over by [`publish_on`](Self::publish_on) or
    /// [`map_async`](Self::map_async). Where each group becomes a flow, see
    /// [`group_map`](Self::group_map), in which numbers that do not fit cannot be written.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for 32 items, and for
    /// 24 again whenever as many have found their group, whether or not more groups are asked for.
    /// An item goes to the subscriber of its group at once if that has asked for it; otherwise up
    /// to 32 items, or as many as [`capacity`](Flow::capacity) says, wait in the group, also before
    /// it is subscribed to. A group that is full holds the source
    /// back, and with it the other groups.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. So do the groups, right before it or when the items
    /// that wait in them have been taken. If `key` panics, or the `Hash`, `Eq` or `Clone` of what
    /// it returns, all fail with an error of kind `Panicked`.
    /// A panic of a subscriber fails that subscriber alone.
    ///
    /// A cancel of the flow of groups leaves those that are there: they go on, and items with other
    /// keys are dropped. The source is canceled when the flow of groups and all groups are canceled
    /// or dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let words = ["apple", "bean", "avocado", "cherry", "banana"];
    /// let numbered = millstream::from_iter(words)
    ///     .group_by(|word| word.chars().next())
    ///     .flat_map(|group| {
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
    ///             .group_by(|letter| *letter)
    ///             .max_groups(2)
    ///             .policy(EvictOldest)
    ///             .flat_map(|group| group.enumerate().map(|(n, letter)| format!("{letter}{n}")))
    ///     },
    ///     "--[a0]--[b0]--[a1]--[c0]--[a0]--|",
    /// );
    /// ```
    pub fn group_by<K, F>(self, key: F) -> Flow<GroupBy<P, F>>
    where
        K: Eq + Hash + Clone + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        Flow { source: GroupBy { source: self.source, key, limits: Limits::DEFAULT } }
    }
}

impl<P, F> Flow<GroupBy<P, F>> {
    /// Has up to `n` groups open at a time. Default: 1024.
    ///
    /// # Demand
    ///
    /// Unchanged.
    ///
    /// # Termination
    ///
    /// What happens at group number `n + 1` is up to the [`policy`](Self::policy).
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{ErrorKind, range};
    ///
    /// let flow = range(0..9).group_by(|n| n % 3).max_groups(2).flat_map(|group| group);
    /// assert_eq!(flow.count().wait().unwrap_err().kind(), ErrorKind::Overflow); // the third key
    /// ```
    #[track_caller]
    pub fn max_groups(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.limits.max_groups = n;
        self
    }

    /// Lets up to `n` items wait in each group. Default: 32.
    ///
    /// # Demand
    ///
    /// A group in which `n` items wait holds the source back.
    ///
    /// # Termination
    ///
    /// Unchanged.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Backpressure, range};
    ///
    /// let flow = range(0..9).group_by(|n| n % 3).max_groups(3).capacity(4);
    /// assert_eq!(flow.max_in_flight(), 32 + 3 * 4);
    /// ```
    #[track_caller]
    pub fn capacity(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.limits.capacity = n;
        self
    }

    /// Sets what gives way when there is no room for another group. Default:
    /// [`Fail`](GroupPolicy::Fail).
    ///
    /// # Demand
    ///
    /// As `policy` says.
    ///
    /// # Termination
    ///
    /// As `policy` says.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{GroupPolicy, range};
    ///
    /// let groups = range(0..9).group_by(|n| n % 3).max_groups(2).policy(GroupPolicy::EvictOldest);
    /// let lists = groups.flat_map(|group| group.buffer(9));
    /// assert_eq!(lists.count().wait()?, 9); // each key opens its group anew
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn policy(mut self, policy: GroupPolicy) -> Self {
        self.source.limits.policy = policy;
        self
    }
}

/// Publisher returned by [`Flow::group_by`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct GroupBy<P, F> {
    pub(super) source: P,
    pub(super) key: F,
    pub(super) limits: Limits,
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

// The prefetched items, and those of the groups.
backpressure!(GroupBy<P, F>, Queue, |this| PREFETCH.saturating_add(this.limits.n_held()));
