//! A cluster of nodes by a Redis server: what they see of each other, and what they do without it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::scheduler;
use millstream_pressure::{
    Clock, Cluster, ClusterConfig, ClusterStore as _, Member, Policy as _, Pressure, PressureSource,
};
use millstream_testservers as servers;

use super::{connected, tell, until};

fn member(node: &str, pressure: f64) -> Member {
    Member { node: node.to_owned(), pressure, capacity: 1.0 }
}

const EXPIRY: Duration = Duration::from_millis(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beat_notes_a_node_returns_all_and_forgets_those_that_are_gone() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    let store = redis.cluster("api").unwrap();
    // Names that others take for separators.
    let (a, b) = (member("a:1;2", 0.25), member("{b}", 1.0));
    assert_eq!(store.beat(&a, EXPIRY).await.unwrap(), std::slice::from_ref(&a));
    let mut both = store.beat(&b, EXPIRY).await.unwrap();
    both.sort_by(|x, y| x.node.cmp(&y.node));
    assert_eq!(both, [a.clone(), b.clone()]);
    // Another namespace is another cluster.
    let other = redis.cluster("other").unwrap();
    assert_eq!(other.beat(&a, EXPIRY).await.unwrap(), std::slice::from_ref(&a));
    // What somebody else has written is nobody.
    tell(&server, &["HSET", "{api}:members", "c", "nonsense"]);
    assert_eq!(store.beat(&a, EXPIRY).await.unwrap().len(), 2);

    tokio::time::sleep(EXPIRY + Duration::from_millis(100)).await;
    assert_eq!(store.beat(&b, EXPIRY).await.unwrap(), [b]);
    assert!(redis.cluster("a{b}").is_err() && redis.cluster("").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beat_of_fifty_nodes_searches_for_nothing_and_takes_little() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    let store = redis.cluster("api").unwrap();
    let expiry = Duration::from_secs(60);
    for index in 0..50 {
        store.beat(&member(&format!("node-{index}"), 0.5), expiry).await.unwrap();
    }
    tell(&server, &["CONFIG", "RESETSTAT"]);
    for index in 0..50 {
        let all = store.beat(&member(&format!("node-{index}"), 0.5), expiry).await.unwrap();
        assert_eq!(all.len(), 50);
    }
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut connection).unwrap();
    assert!(!stats.contains("cmdstat_keys") && !stats.contains("cmdstat_scan"), "{stats}");
    let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:calls=50")).unwrap();
    let micros = line.split("usec_per_call=").nth(1).and_then(|rest| rest.split(',').next());
    let micros: f64 = micros.unwrap().parse().unwrap();
    // The server's own account; the bound leaves room for a machine that does other things.
    assert!(micros < 2_000.0, "{line}");
}

/// How full a node is, as the test says.
struct Level(Clock, Mutex<f64>);

impl PressureSource for Level {
    fn pressure(&self) -> Option<Pressure> {
        Pressure::new(*self.1.lock().unwrap(), self.0.now())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_go_by_themselves_while_the_server_is_away_and_by_each_other_afterwards() {
    let Some(mut server) = servers::Redis::start() else { return };
    let ambient = scheduler::ambient();
    let mut nodes = Vec::new();
    for (node, pressure) in [("idle", 0.0), ("busy", 0.9)] {
        let redis = connected(&server).await;
        let config = ClusterConfig {
            beat: Duration::from_millis(100),
            expiry: Duration::from_millis(300),
            max_backoff: Duration::from_millis(400),
            ..ClusterConfig::of(node)
        };
        let level = Arc::new(Level(Clock::of(&ambient), Mutex::new(pressure)));
        let cluster = Cluster::new("api", config, level, &ambient).unwrap();
        let running = tokio::spawn(cluster.run(redis.cluster("api").unwrap()));
        nodes.push((cluster, running));
    }
    let busy = nodes[1].0.clone();
    let sees = |n: usize| {
        let snapshot = busy.snapshot();
        snapshot.n_nodes == n && !snapshot.is_local_only
    };
    until("both", || sees(2)).await;
    assert!(busy.snapshot().acceptance < 0.5);

    server.kill();
    until("a life without", || busy.snapshot().is_local_only).await;
    assert!((0..1_000).all(|_| busy.try_acquire().is_ok()), "nothing fails for the store");
    server.restart();
    until("both again", || sees(2)).await;

    // Stands still, with its connections open.
    server.pause();
    until("a life without", || busy.snapshot().is_local_only).await;
    server.resume();
    until("both again", || sees(2)).await;

    nodes[0].1.abort();
    until("one alone", || sees(1)).await;
    nodes[1].1.abort();
}
