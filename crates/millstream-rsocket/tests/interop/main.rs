//! Against other implementations: each of them as a client of ours, and as a server of ours.
//!
//! `cargo xtask rsocket` fetches them and runs this. Without one of them, its tests say so and
//! pass, unless `RSOCKET_PEERS` names its language.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests say what they leave out")]

mod peers;
mod play;

use millstream_rsocket::{Client, Server, proto::Config};
use peers::{JAVA, NODE, PYTHON, Peer};

use crate::play::{Service, play};

/// Fragments as short as those of the peers.
fn config() -> Config {
    Config { fragment: 1024, ..Config::default() }
}

async fn ours_asks(peer: &Peer) {
    let Some(mut server) = peer.start(&["server"]) else { return };
    let port = server.first_line().await.trim().parse::<u16>().expect("its port");
    let client = Client::new().config(config());
    let requester = client.connect_tcp(("127.0.0.1", port)).await.unwrap();
    play(&requester).await;
}

async fn ours_answers(peer: &Peer) {
    let listener =
        Server::new(Service::default()).config(config()).listen_tcp("127.0.0.1:0").await.unwrap();
    let port = listener.address().port().to_string();
    let Some(client) = peer.start(&["client", &port]) else { return };
    client.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_answers() {
    ours_asks(&PYTHON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_asks() {
    ours_answers(&PYTHON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_answers() {
    ours_asks(&NODE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_asks() {
    ours_answers(&NODE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_answers() {
    ours_asks(&JAVA).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_asks() {
    ours_answers(&JAVA).await;
}
