//! Against other implementations: each of them as a client of ours, and as a server of ours.
//!
//! `cargo xtask rsocket` fetches them and runs this. Without one of them, its tests say so and
//! pass, unless `RSOCKET_PEERS` names its language.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests say what they leave out")]

#[path = "../it/transports/certificate.rs"]
mod certificate;
mod peers;
mod play;

use std::{fs, sync::Arc, time::Duration};

use millstream::ErrorKind;
use millstream_rsocket::{
    Client, Server,
    proto::{Config, OpenError},
    transport::tcp,
};
use millstream_testservers::Proxy;
use peers::{JAVA, NODE, PYTHON, Peer};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::{
    certificate::Certificate,
    play::{Service, play, until},
};

/// Fragments as short as those of the peers.
fn config() -> Config {
    Config { fragment: 1024, ..Config::default() }
}

async fn ours_asks(peer: &Peer, transport: &str) {
    let Some(mut server) = peer.start(&["server", transport]) else { return };
    let port = server.first_line().await.trim().parse::<u16>().expect("its port");
    let client = Client::new().config(config());
    let requester = match transport {
        "tcp" => client.connect_tcp(("127.0.0.1", port)).await,
        _ => client.connect_websocket(&format!("ws://127.0.0.1:{port}/")).await,
    };
    play(&requester.unwrap()).await;
}

async fn ours_answers(peer: &Peer, transport: &str) {
    let server = Server::new(Service::default()).config(config());
    let listener = match transport {
        "tcp" => server.listen_tcp("127.0.0.1:0").await,
        _ => server.listen_websocket("127.0.0.1:0").await,
    };
    let listener = listener.unwrap();
    let port = listener.address().port().to_string();
    let Some(client) = peer.start(&["client", transport, &port]) else { return };
    client.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_answers() {
    ours_asks(&PYTHON, "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_asks() {
    ours_answers(&PYTHON, "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_answers() {
    ours_asks(&NODE, "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_asks() {
    ours_answers(&NODE, "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_answers_by_websocket() {
    ours_asks(&NODE, "websocket").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_asks_by_websocket() {
    ours_answers(&NODE, "websocket").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_answers() {
    ours_asks(&JAVA, "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_asks() {
    ours_answers(&JAVA, "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_answers_by_websocket() {
    ours_asks(&JAVA, "websocket").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_asks_by_websocket() {
    ours_answers(&JAVA, "websocket").await;
}

/// A certificate in files, for peers that want such.
struct Files {
    folder: TempDir,
    certificate: Certificate,
}

impl Files {
    fn new() -> Self {
        let (folder, certificate) = (tempfile::tempdir().unwrap(), Certificate::new());
        fs::write(folder.path().join("certificate.pem"), &certificate.pem).unwrap();
        fs::write(folder.path().join("key.pem"), &certificate.key_pem).unwrap();
        Self { folder, certificate }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_answers_by_tls() {
    let files = Files::new();
    let (cert, key) = (files.path("certificate.pem"), files.path("key.pem"));
    let Some(mut server) = JAVA.start(&["server", "tls", &cert, &key]) else { return };
    let port = server.first_line().await.trim().parse::<u16>().expect("its port");
    let client = Client::new().config(config());
    let address = ("127.0.0.1", port);
    play(&client.connect_tls(address, "localhost", files.certificate.client).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_asks_by_tls() {
    let files = Files::new();
    let cert = files.path("certificate.pem");
    let server = Server::new(Service::default()).config(config());
    let listener = server.listen_tls("127.0.0.1:0", files.certificate.server).await.unwrap();
    let port = listener.address().port().to_string();
    let Some(client) = JAVA.start(&["client", "tls", &port, &cert]) else { return };
    client.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_grants_three_requests() {
    let Some(mut server) = JAVA.start(&["server", "lease"]) else { return };
    let port = server.first_line().await.trim().parse::<u16>().expect("its port");
    let client = Client::new().config(config()).lease();
    let requester = client.connect_tcp(("127.0.0.1", port)).await.unwrap();
    until(|| requester.lease() == Some(3)).await;
    for _ in 0..3 {
        requester.request_response("x").first().await.unwrap();
    }
    let refused = requester.request_response("x").first().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    assert_eq!(refused.downcast_ref::<OpenError>(), Some(&OpenError::NoLease), "it was not sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_is_granted_three_requests() {
    let server = Server::accepting(|_, requester| {
        requester.grant_lease(3, Duration::from_secs(60));
        Ok(Service::default())
    });
    let server = server.config(Config { lease: true, ..config() });
    let listener = server.listen_tcp("127.0.0.1:0").await.unwrap();
    let port = listener.address().port().to_string();
    let Some(client) = JAVA.start(&["client", "lease", &port]) else { return };
    client.succeeds().await;
}

/// Cuts the connections of a proxy, ever less often, so that the slowest peer comes to an end.
async fn cut(proxy: Arc<Proxy>) {
    let mut pause = Duration::from_millis(30);
    loop {
        tokio::time::sleep(pause).await;
        proxy.cut();
        pause = pause.mul_f64(1.2);
    }
}

fn assert_cut(proxy: &Proxy) {
    assert!(proxy.n_accepted() > 3, "a session of one connection proves nothing");
}

fn resumed() -> Config {
    let (keep_alive, max_lifetime) = (Duration::from_millis(100), Duration::from_secs(10));
    Config { resume: true, resume_buffer: 16 * 1024, keep_alive, max_lifetime, ..config() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_answers_across_connections() {
    let Some(mut server) = JAVA.start(&["server", "resume"]) else { return };
    let port = server.first_line().await.trim().parse::<u16>().expect("its port");
    let proxy = Arc::new(Proxy::to(port));
    let through = proxy.port();
    let client = Client::new().config(resumed());
    let connect = move || tcp::connect(("127.0.0.1", through));
    let requester = client.connect_resumable(connect).await.unwrap();
    // The session has begun when something was answered.
    requester.request_response("begin").first().await.unwrap();
    let cutting = tokio::spawn(cut(Arc::clone(&proxy)));
    play(&requester).await;
    cutting.abort();
    assert_cut(&proxy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_asks_across_connections() {
    let begun = Arc::new(Notify::new());
    let begins = Arc::clone(&begun);
    let service = Service::default();
    let server = Server::accepting(move |_, _| {
        begins.notify_one();
        Ok(service.clone())
    });
    let listener = server.config(resumed()).listen_tcp("127.0.0.1:0").await.unwrap();
    let proxy = Arc::new(Proxy::to(listener.address().port()));
    let port = proxy.port().to_string();
    let Some(client) = JAVA.start(&["client", "resume", &port]) else { return };
    let cutting = tokio::spawn({
        let proxy = Arc::clone(&proxy);
        async move {
            begun.notified().await;
            cut(proxy).await;
        }
    });
    client.succeeds().await;
    cutting.abort();
    assert_cut(&proxy);
}
