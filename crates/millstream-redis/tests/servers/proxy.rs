//! Streams by a connection that is cut, held, half open, late and slow: nothing is lost.

use std::time::Duration;

use millstream_redis::{Redis, RedisConfig, StreamConfig};
use millstream_testkit::Probe;
use millstream_testservers as servers;

use super::{connected, consumer, number, pending, publish, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_network_does_nothing_is_lost() {
    let Some(server) = servers::Redis::start() else { return };
    let direct = connected(&server).await;
    publish(&direct, 0..60).await;
    let proxy = server.proxy();
    let config = RedisConfig {
        timeout: Duration::from_millis(300),
        ..RedisConfig::at(&format!("redis://127.0.0.1:{}", proxy.port()))
    };
    let redis = Redis::connect(config).await.unwrap();
    // What was read and did not arrive is claimed.
    let config = StreamConfig { claim_after: Duration::from_millis(400), ..consumer("a") };
    let probe = Probe::subscribe_to(redis.stream(config).unwrap());
    let n_seen = proxy.break_for(
        Duration::from_secs(10),
        |n| probe.request(n),
        || {
            let deliveries = probe.take_items().into_iter();
            let acknowledged = deliveries.map(|delivery| {
                let number = number(&delivery.payload);
                delivery.ack();
                number
            });
            acknowledged.collect()
        },
    );
    assert_eq!(n_seen, 60);
    until("the acknowledgements", || pending(&server) == 0).await;
    assert!(proxy.n_accepted() > 2, "it has connected again");
    probe.cancel();
}
