//! Streams by a connection that is cut, held, half open, late and slow: nothing is lost.

use std::{collections::BTreeSet, time::Duration};

use millstream_redis::{Redis, RedisConfig, StreamConfig};
use millstream_testkit::Probe;
use millstream_testservers::{self as servers, Fault};

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
    let mut seen = BTreeSet::new();
    let faults = [
        Fault::None,
        Fault::Delay(Duration::from_millis(20)),
        Fault::Hold,
        Fault::HalfOpen,
        Fault::Slow(Duration::from_micros(200)),
    ];
    for (index, fault) in faults.into_iter().cycle().take(12).enumerate() {
        proxy.set(fault);
        probe.request(5);
        tokio::time::sleep(Duration::from_millis(60)).await;
        if index % 3 == 2 {
            proxy.cut();
        }
        proxy.set(Fault::None);
        let wanted = 5 * (index + 1);
        for _ in 0..400 {
            for delivery in probe.take_items() {
                // One whose acknowledgement was lost comes again, and is asked for again.
                if !seen.insert(number(&delivery.payload)) {
                    probe.request(1);
                }
                delivery.ack();
            }
            if seen.len() >= wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(seen.len() >= wanted, "{} of {wanted} after {fault:?}", seen.len());
    }
    assert_eq!(seen.len(), 60);
    until("the acknowledgements", || pending(&server) == 0).await;
    assert!(proxy.n_accepted() > 2, "it has connected again");
    probe.cancel();
}
