//! A consumer by a connection that is cut, held, half open, late and slow: nothing is lost.

use std::time::Duration;

use millstream_nats::{Nats, NatsConfig};
use millstream_testkit::Probe;
use millstream_testservers as servers;

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
    let n_seen = proxy.break_for(
        Duration::from_secs(20),
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
    until(&direct, "the acknowledgements", |info| info.num_ack_pending == 0).await;
    assert!(proxy.n_accepted() > 1, "it has connected again");
    probe.cancel();
}
