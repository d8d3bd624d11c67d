//! `NatsCluster`: where the nodes of a cluster leave what they say of themselves.

use std::{
    collections::BTreeMap, fmt::Write as _, future::poll_fn, pin::Pin, sync::Arc, time::Duration,
};

use async_nats::{
    datetime::DateTime,
    jetstream::{
        self,
        kv::{self, Entry, Operation},
        stream::StorageType,
    },
};
use futures_core::Stream as _;
use millstream::{Error, ErrorKind};
use millstream_pressure::{ClusterStore, InvalidSetting, Member};
use tokio::sync::Mutex;

use crate::Nats;

/// How many expiries a bucket keeps what a node has said that is gone.
const KEPT: u32 = 10;

/// A store for a [`Cluster`](millstream_pressure::Cluster) of nodes that have NATS with JetStream.
///
/// Each node has a key in a bucket, and follows it: a beat puts one value, and what others have put
/// meanwhile has come by then. Times are the server's.
#[derive(Clone)]
pub struct NatsCluster {
    nats: Nats,
    bucket: Arc<str>,
    /// Locked while a beat is on its way.
    view: Arc<Mutex<Option<View>>>,
}

impl Nats {
    /// The store of the cluster with this name, which is that of a bucket. Nodes that share it see
    /// each other. It is created by the first beat, in memory.
    ///
    /// # Errors
    ///
    /// A name with other characters than letters, digits, `-` and `_`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use millstream::scheduler;
    /// use millstream_nats::{Nats, NatsConfig};
    /// use millstream_pressure::{Cluster, ClusterConfig, ConcurrencyLimit, LimitConfig};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let nats = Nats::connect(NatsConfig::at("nats://127.0.0.1:4222")).await?;
    /// let ambient = scheduler::ambient();
    /// let limit = ConcurrencyLimit::new("api", LimitConfig::default(), &ambient)?;
    /// let node = Cluster::new("api", ClusterConfig::of("node-1"), Arc::new(limit), &ambient)?;
    /// tokio::spawn(node.run(nats.cluster("api")?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cluster(&self, bucket: &str) -> Result<NatsCluster, InvalidSetting> {
        check_bucket(bucket)?;
        Ok(NatsCluster { nats: self.clone(), bucket: bucket.into(), view: Arc::default() })
    }
}

pub(crate) fn check_bucket(bucket: &str) -> Result<(), InvalidSetting> {
    let may_be = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_valid = !bucket.is_empty() && bucket.chars().all(may_be);
    let rule = "a name of letters, digits, - and _";
    InvalidSetting::unless(is_valid, "nats bucket", "bucket", bucket, rule)
}

/// The bucket, and what was said in it.
struct View {
    store: kv::Store,
    watch: kv::Watch,
    members: BTreeMap<String, (Option<Member>, DateTime)>,
}

impl ClusterStore for NatsCluster {
    async fn beat(&self, member: &Member, expiry: Duration) -> Result<Vec<Member>, Error> {
        let mut slot = self.view.lock().await;
        let view = match &mut *slot {
            Some(view) => view,
            none => none.insert(self.open(expiry).await?),
        };
        let members = view.beat(member, expiry).await;
        if members.is_err() {
            // Looked up anew: the server may have come back without it.
            *slot = None;
        }
        members
    }
}

impl NatsCluster {
    async fn open(&self, expiry: Duration) -> Result<View, Error> {
        let context = jetstream::new(self.nats.client().clone());
        let store = match context.get_key_value(&*self.bucket).await {
            Ok(store) => store,
            Err(_) => {
                let config = kv::Config {
                    bucket: self.bucket.to_string(),
                    history: 1,
                    max_age: expiry * KEPT,
                    storage: StorageType::Memory,
                    ..kv::Config::default()
                };
                context.create_key_value(config).await.map_err(away)?
            }
        };
        let watch = store.watch_with_history(">").await.map_err(away)?;
        Ok(View { store, watch, members: BTreeMap::new() })
    }
}

impl View {
    async fn beat(&mut self, member: &Member, expiry: Duration) -> Result<Vec<Member>, Error> {
        let Member { node, pressure, capacity } = member;
        let said = format!("{pressure};{capacity};{node}");
        let revision = self.store.put(key(node), said.into()).await.map_err(away)?;
        // What was put before has come when this has.
        let now = loop {
            let next = poll_fn(|cx| Pin::new(&mut self.watch).poll_next(cx)).await;
            let Some(Ok(entry)) = next else { return Err(away("the watch has ended")) };
            let (is_own, created) = (entry.revision >= revision, entry.created);
            let said = (entry.operation == Operation::Put).then(|| read(&entry)).flatten();
            self.members.insert(entry.key, (said, created));
            if is_own {
                break created;
            }
        };
        let expiry = i128::try_from(expiry.as_millis()).unwrap_or(i128::MAX);
        self.members.retain(|_, (_, heard)| (now - *heard).whole_milliseconds() <= expiry);
        Ok(self.members.values().filter_map(|(member, _)| member.clone()).collect())
    }
}

/// What a member has said; `None` if nobody says that.
fn read(entry: &Entry) -> Option<Member> {
    let mut parts = std::str::from_utf8(&entry.value).ok()?.splitn(3, ';');
    let mut number = || parts.next()?.parse().ok();
    let (pressure, capacity) = (number()?, number()?);
    Some(Member { node: parts.next()?.to_owned(), pressure, capacity })
}

/// A key for any name: other bytes than letters and digits in hexadecimal.
fn key(node: &str) -> String {
    node.bytes().fold(String::new(), |mut key, byte| {
        match byte.is_ascii_alphanumeric() {
            true => key.push(byte.into()),
            // Writing to a string does not fail.
            false => drop(write!(key, "={byte:02x}")),
        }
        key
    })
}

fn away(cause: impl std::fmt::Display) -> Error {
    let what = format!("the NATS key-value store does not answer: {cause}");
    Error::new(ErrorKind::Disconnected, what)
}

impl std::fmt::Debug for NatsCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsCluster").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

#[test]
fn any_name_of_a_node_has_a_key_of_its_own() {
    assert_eq!(key("node-1"), "node=2d1");
    assert_eq!(key("a=b.c*>"), "a=3db=2ec=2a=3e");
}
