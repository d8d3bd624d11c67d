//! A consumer by a connection that is cut, held, half open, late and slow: nothing is lost.

use std::{collections::BTreeSet, time::Duration};

use millstream_nats::{Nats, NatsConfig};
use millstream_testkit::Probe;
use millstream_testservers::{self as servers, Fault};

use super::{config, connected, number, publish, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_network_does_nothing_is_lost() {
    let Some(server) = servers::Nats::start() else { return };
    let direct = connected(&server).await;
    publish(&direct, 0..60).await;
    let proxy = server.proxy();
    let by_proxy = NatsConfig::at(&format!("nats://127.0.0.1:{}", proxy.port()));
    let nats = Nats::connect(by_proxy).await.unwrap();
    // What was sent and did not arrive comes again.
    let config = millstream_nats::PullConfig { ack_wait: Duration::from_secs(1), ..config() };
    let probe = Probe::subscribe_to(nats.pull(config).unwrap());
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
        for _ in 0..800 {
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
    until(&direct, "the acknowledgements", |info| info.num_ack_pending == 0).await;
    assert!(proxy.n_accepted() > 1, "it has connected again");
    probe.cancel();
}
