//! A cluster of nodes by a bucket: what they see of each other, and what they do without it.

use std::{sync::Arc, time::Duration};

use millstream::scheduler;
use millstream_nats::{Nats, NatsConfig};
use millstream_pressure::{
    Clock, Cluster, ClusterConfig, ClusterStore as _, Member, Policy as _, Pressure, PressureSource,
};
use millstream_testservers as servers;

fn member(node: &str, pressure: f64) -> Member {
    Member { node: node.to_owned(), pressure, capacity: 2.0 }
}

async fn nats(server: &servers::Nats) -> Nats {
    let config =
        NatsConfig { request_timeout: Duration::from_millis(500), ..NatsConfig::at(&server.url()) };
    Nats::connect(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beat_returns_all_and_forgets_those_that_are_gone() {
    let Some(server) = servers::Nats::start() else { return };
    let expiry = Duration::from_millis(600);
    let stores = [nats(&server).await, nats(&server).await].map(|nats| nats.cluster("api"));
    let [first, second] = stores.map(Result::unwrap);
    let (a, b) = (member("a.*>:1;2", 0.25), member("b ü", 1.0));
    assert_eq!(first.beat(&a, expiry).await.unwrap(), std::slice::from_ref(&a));
    assert_eq!(second.beat(&b, expiry).await.unwrap().len(), 2);
    let both = first.beat(&a, expiry).await.unwrap();
    assert!(both.len() == 2 && both.contains(&a) && both.contains(&b), "{both:?}");
    tokio::time::sleep(expiry + Duration::from_millis(100)).await;
    assert_eq!(second.beat(&b, expiry).await.unwrap(), [b]);
    assert!(nats(&server).await.cluster("a.b").is_err());
}

/// As full as this.
struct Level(Clock, f64);

impl PressureSource for Level {
    fn pressure(&self) -> Option<Pressure> {
        Pressure::new(self.1, self.0.now())
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..800 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain for {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_go_by_themselves_while_the_server_is_away_and_by_each_other_afterwards() {
    let Some(mut server) = servers::Nats::start() else { return };
    let ambient = scheduler::ambient();
    let mut nodes = Vec::new();
    for (node, pressure) in [("idle", 0.0), ("busy", 0.9)] {
        let nats = nats(&server).await;
        let config = ClusterConfig {
            beat: Duration::from_millis(200),
            expiry: Duration::from_millis(600),
            max_backoff: Duration::from_millis(400),
            ..ClusterConfig::of(node)
        };
        let level = Arc::new(Level(Clock::of(&ambient), pressure));
        let cluster = Cluster::new("api", config, level, &ambient).unwrap();
        let running = tokio::spawn(cluster.run(nats.cluster("api").unwrap()));
        nodes.push((cluster, running));
    }
    let busy = nodes[1].0.clone();
    let sees = |n: usize| {
        let snapshot = busy.snapshot();
        snapshot.n_nodes == n && !snapshot.is_local_only
    };
    until("both", || sees(2)).await;
    assert!(busy.snapshot().acceptance < 0.5);

    // What is in memory is gone with it.
    server.kill();
    until("a life without", || busy.snapshot().is_local_only).await;
    assert!((0..1_000).all(|_| busy.try_acquire().is_ok()), "nothing fails for the store");
    server.restart();
    until("both again", || sees(2)).await;

    nodes[0].1.abort();
    until("one alone", || sees(1)).await;
    nodes[1].1.abort();
}
