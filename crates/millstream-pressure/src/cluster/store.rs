//! `ClusterStore`: where nodes leave what they say of themselves; one in process.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use millstream::{Error, scheduler::Scheduler};
use parking_lot::Mutex;

use crate::Clock;

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The node's name.
    pub node: String,
    /// How full it is, from 0 to 1.
    pub pressure: f64,
    /// How much it can do in relation to others.
    pub capacity: f64,
}

/// Where the nodes of a cluster leave what they say of themselves.
///
/// A store keeps time by one clock, its own: a node whose clock is wrong neither lives longer nor
/// is gone sooner.
pub trait ClusterStore: Send + Sync + 'static {
    /// One beat: notes what a node says, forgets those that have said nothing for `expiry`, and
    /// returns all that are left, `member` among them. Dropping the future gives up; the beat may
    /// or may not have been noted.
    ///
    /// # Errors
    ///
    /// The store does not answer, or refuses.
    fn beat(
        &self,
        member: &Member,
        expiry: Duration,
    ) -> impl Future<Output = Result<Vec<Member>, Error>> + Send;
}

impl<S: ClusterStore> ClusterStore for Arc<S> {
    fn beat(
        &self,
        member: &Member,
        expiry: Duration,
    ) -> impl Future<Output = Result<Vec<Member>, Error>> + Send {
        (**self).beat(member, expiry)
    }
}

/// A store in this process: for tests, for simulations, and where several parts of one process
/// share what it has. Clones are the same store.
#[derive(Clone, Debug)]
pub struct MemoryCluster {
    clock: Clock,
    members: Arc<Mutex<BTreeMap<String, (Duration, Member)>>>,
}

impl MemoryCluster {
    /// An empty one, by the clock of `scheduler`.
    pub fn new(scheduler: &impl Scheduler) -> Self {
        Self { clock: Clock::of(scheduler), members: Arc::default() }
    }
}

impl ClusterStore for MemoryCluster {
    async fn beat(&self, member: &Member, expiry: Duration) -> Result<Vec<Member>, Error> {
        let now = self.clock.now();
        let mut members = self.members.lock();
        members.insert(member.node.clone(), (now, member.clone()));
        members.retain(|_, (heard, _)| now.saturating_sub(*heard) <= expiry);
        Ok(members.values().map(|(_, member)| member.clone()).collect())
    }
}
