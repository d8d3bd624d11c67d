//! `RedisCluster`: where the nodes of a cluster leave what they say of themselves.

use std::{sync::Arc, time::Duration};

use millstream::Error;
use millstream_pressure::{ClusterStore, InvalidSetting, Member};
use redis::Script;

use crate::{Redis, connection::refused};

/// One beat: notes a node, forgets those that were not heard for too long, and returns the others.
/// Times are the server's, so that no node's clock matters; both keys go by themselves when all
/// nodes have gone. What the members say stands in a hash, so that nothing is searched for.
const BEAT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[3]))
for _, node in ipairs(gone) do
    redis.call('ZREM', KEYS[1], node)
    redis.call('HDEL', KEYS[2], node)
end
redis.call('PEXPIRE', KEYS[1], 10 * ARGV[3])
redis.call('PEXPIRE', KEYS[2], 10 * ARGV[3])
return redis.call('HGETALL', KEYS[2])
";

/// A store for a [`Cluster`](millstream_pressure::Cluster) of nodes that have a Redis server.
///
/// Each beat is one script: it reads and writes two keys, `{namespace}:beats` and
/// `{namespace}:members`, which one slot of a cluster of Redis has both of.
#[derive(Clone, Debug)]
pub struct RedisCluster {
    redis: Redis,
    script: Arc<Script>,
    keys: [String; 2],
}

impl Redis {
    /// The store of the cluster with this name. Nodes that share a name and a server see each
    /// other.
    ///
    /// # Errors
    ///
    /// A name that is empty, or has a brace in it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use millstream::scheduler;
    /// use millstream_pressure::{Cluster, ClusterConfig, ConcurrencyLimit, LimitConfig};
    /// use millstream_redis::{Redis, RedisConfig};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let redis = Redis::connect(RedisConfig::at("redis://127.0.0.1:6379")).await?;
    /// let ambient = scheduler::ambient();
    /// let limit = ConcurrencyLimit::new("api", LimitConfig::default(), &ambient)?;
    /// let node = Cluster::new("api", ClusterConfig::of("node-1"), Arc::new(limit), &ambient)?;
    /// tokio::spawn(node.run(redis.cluster("api")?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cluster(&self, namespace: &str) -> Result<RedisCluster, InvalidSetting> {
        let is_valid = !namespace.is_empty() && !namespace.contains(['{', '}']);
        let rule = "a name without braces";
        InvalidSetting::unless(is_valid, "redis cluster", "namespace", namespace, rule)?;
        let keys = ["beats", "members"].map(|key| format!("{{{namespace}}}:{key}"));
        Ok(RedisCluster { redis: self.clone(), script: Arc::new(Script::new(BEAT)), keys })
    }
}

impl ClusterStore for RedisCluster {
    async fn beat(&self, member: &Member, expiry: Duration) -> Result<Vec<Member>, Error> {
        let Member { node, pressure, capacity } = member;
        let server = &self.redis.0;
        let mut connection = server.shared.clone();
        let mut call = self.script.prepare_invoke();
        call.key(&self.keys[0]).key(&self.keys[1]);
        call.arg(node).arg(format!("{pressure};{capacity}"));
        call.arg(u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX >> 8));
        let answer: Result<Vec<(String, String)>, _> = call.invoke_async(&mut connection).await;
        let members = answer.map_err(|error| refused(&error, &server.config.server))?;
        Ok(members.into_iter().filter_map(|(node, said)| read(node, &said)).collect())
    }
}

/// What a member has said; `None` if nobody says that.
fn read(node: String, said: &str) -> Option<Member> {
    let (pressure, capacity) = said.split_once(';')?;
    Some(Member { node, pressure: pressure.parse().ok()?, capacity: capacity.parse().ok()? })
}
