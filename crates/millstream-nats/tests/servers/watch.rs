//! Key-value watches: the values there are, what becomes of them, and a connection that is lost.

use async_nats::jetstream::{self, kv};
use millstream::ErrorKind;
use millstream_nats::Change;
use millstream_testkit::Probe;
use millstream_testservers as servers;

use super::connected;

fn values(probe: &Probe<Change>) -> Vec<(String, Option<String>)> {
    let text = |bytes: &bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let of = |change: Change| (change.key, change.value.as_ref().map(text));
    probe.items().into_iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_has_what_there_is_and_what_comes_when_it_is_asked_for() {
    let Some(mut server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let context = jetstream::new(nats.client().clone());
    let config = kv::Config { bucket: "settings".to_owned(), ..kv::Config::default() };
    let store = context.create_key_value(config).await.unwrap();
    store.put("api.a", "1".into()).await.unwrap();
    store.put("api.a", "2".into()).await.unwrap();
    store.put("api.b", "3".into()).await.unwrap();
    store.put("other", "4".into()).await.unwrap();

    let probe = Probe::subscribe_to(nats.watch("settings", "api.>").await.unwrap());
    probe.request(1);
    probe.wait_for("one", |probe| probe.n_items() == 1);
    let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
    assert_eq!(values(&probe), [pair("api.a", Some("2"))]);
    assert!(!probe.items()[0].is_current);
    probe.request(1);
    probe.wait_for("the other", |probe| probe.n_items() == 2);
    assert!(probe.items()[1].is_current);

    store.delete("api.b").await.unwrap();
    probe.request(1);
    probe.wait_for("the delete", |probe| probe.n_items() == 3);
    assert_eq!(values(&probe)[2], pair("api.b", None));

    probe.request(9);
    server.kill();
    server.restart();
    for _ in 0..400 {
        if store.put("api.c", "5".into()).await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    probe.wait_for("what came after", |probe| probe.n_items() >= 4);
    assert_eq!(values(&probe)[3], pair("api.c", Some("5")));
    probe.cancel();

    let missing = nats.watch("missing", ">").await.map(drop).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Rejected);
    let none = nats.watch("a.b", ">").await.map(drop).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::InvalidData);
}
