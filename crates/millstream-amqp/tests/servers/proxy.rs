//! A consumer by a connection that is cut, held, half open, late and slow: nothing is lost.

use std::time::Duration;

use millstream_amqp::{ConsumeConfig, Queue};
use millstream_testkit::Probe;

use crate::{broker, client, connected, number, publish, until_waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_network_does_nothing_is_lost() {
    let Some(server) = broker() else { return };
    let direct = connected(&server.url(), &[Queue::classic("broken")]).await;
    publish(&direct, "broken", 0..60).await;
    let proxy = server.proxy();
    let amqp = connected(&format!("amqp://127.0.0.1:{}", proxy.port()), &[]).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("broken")).unwrap());
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
    assert!(proxy.n_accepted() > 1, "it has connected again");
    probe.cancel();
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "broken", 0).await;
}
