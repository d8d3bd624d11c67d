//! `group_map`: a flow for each key, and their items together.

use std::hash::Hash;

use reactive_streams::{Publisher, Subscriber};

use super::group_by::{Group, GroupBy, GroupPolicy, Limits};
use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::{fan_in::PREFETCH, inlet::check_capacity},
};

impl<P: Publisher> Flow<P> {
    /// Splits a flow by key, turns each group into a flow by `f`, and passes the items of all of
    /// them on as they come.
    ///
    /// This is [`group_by`](Self::group_by) with a [`flat_map`](Self::flat_map) behind it that runs
    /// all groups that are open, so that none waits for another one to end.
    ///
    /// # Demand
    ///
    /// As [`group_by`](Self::group_by). The flow of each group is asked for 32 items when it
    /// begins, and for 24 again whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// As [`flat_map`](Self::flat_map). A cancel reaches the source.
    ///
    /// # Examples
    ///
    /// ```
    /// // The items in pairs of even and of odd ones.
    /// let pairs = millstream::range(1..=6).group_map(|n| n % 2, |group| group.buffer(2));
    /// let mut pairs: Vec<_> = pairs.collect().wait()?;
    /// pairs.sort();
    /// assert_eq!(pairs, [vec![1, 3], vec![2, 4], vec![5], vec![6]]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn group_map<K, F, G, Q>(self, key: F, f: G) -> Flow<GroupMap<P, F, G>>
    where
        P::Item: Send + 'static,
        K: Eq + Hash + Clone + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
        G: FnMut(Flow<Group<K, P::Item>>) -> Q + Send + 'static,
        Q: Publisher,
    {
        let groups = GroupBy { source: self.source, key, limits: Limits::DEFAULT };
        Flow { source: GroupMap { groups, f } }
    }
}

impl<P, F, G> Flow<GroupMap<P, F, G>> {
    /// Has up to `n` groups open at a time, and runs the flows of all of them. Default: 1024.
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
    /// let flow = range(0..9).group_map(|n| n % 3, |group| group).max_groups(2);
    /// assert_eq!(flow.count().wait().unwrap_err().kind(), ErrorKind::Overflow); // the third key
    /// ```
    #[track_caller]
    pub fn max_groups(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.groups.limits.max_groups = n;
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
    /// let flow = range(0..9).group_map(|n| n % 3, |group| group).max_groups(3).capacity(4);
    /// // 32 items of the source, 4 in each group, and a group and 32 items of each flow.
    /// assert_eq!(flow.max_in_flight(), 32 + 3 * 4 + 3 * 33);
    /// ```
    #[track_caller]
    pub fn capacity(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.groups.limits.capacity = n;
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
    /// let sums = range(0..9).group_map(|n| n % 3, |group| group.buffer(9)).max_groups(1);
    /// let sums = sums.policy(GroupPolicy::EvictOldest);
    /// assert_eq!(sums.count().wait()?, 9); // each key opens its group anew
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn policy(mut self, policy: GroupPolicy) -> Self {
        self.source.groups.limits.policy = policy;
        self
    }
}

/// Publisher returned by [`Flow::group_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct GroupMap<P, F, G> {
    groups: GroupBy<P, F>,
    f: G,
}

impl<P, K, F, G, Q> Publisher for GroupMap<P, F, G>
where
    P: Publisher<Item: Send + 'static>,
    K: Eq + Hash + Clone + Send + 'static,
    F: FnMut(&P::Item) -> K + Send + 'static,
    G: FnMut(Flow<Group<K, P::Item>>) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { groups, f } = self;
        let max_groups = groups.limits.max_groups;
        Flow { source: groups }.flat_map(f).concurrency(max_groups).subscribe(downstream);
    }
}

opaque_debug!(GroupMap<P, F, G>);

impl<P, K, F, G, Q> Backpressure for GroupMap<P, F, G>
where
    P: Publisher + Backpressure,
    F: FnMut(&P::Item) -> K,
    G: FnMut(Flow<Group<K, P::Item>>) -> Q,
    Q: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        let max_groups = self.groups.limits.max_groups;
        let of_flows = max_groups.saturating_mul(PREFETCH + 1);
        self.groups.max_in_flight().saturating_add(of_flows as u64)
    }
}

impl<P, K, F, G, Q> Bounded for GroupMap<P, F, G>
where
    P: Publisher + Bounded,
    F: FnMut(&P::Item) -> K,
    G: FnMut(Flow<Group<K, P::Item>>) -> Q,
    Q: Bounded,
{
}
