//! A server that quotes prices and a client that is slower than it: `cargo run -p
//! millstream-rsocket --example quotes`.
//!
//! The client takes a price each 20 ms, and the server makes no more than it takes.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use millstream::{bridge::from_watch, range};
use millstream_rsocket::{Answers, Client, Payload, Responder, Server};
use tokio::sync::watch;

/// Quotes prices, and says how many it has made.
struct Quotes(Arc<watch::Sender<u64>>);

impl Responder for Quotes {
    fn request_stream(&self, symbol: Payload) -> Answers {
        let n_made = Arc::clone(&self.0);
        range(1..u64::MAX)
            .map(move |n| {
                n_made.send_replace(n);
                let name = String::from_utf8_lossy(&symbol.data).into_owned();
                Payload::from(format!("{name} {}", 100 + n * 7919 % 23))
            })
            .boxed()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (n_made, made) = watch::channel(0);
    let listener = Server::new(Quotes(Arc::new(n_made))).listen_tcp("127.0.0.1:0").await?;
    let requester = Client::new().connect_tcp(listener.address()).await?;
    let start = SystemTime::now();

    let quotes = requester
        .request_stream("ACME")
        .limit_rate(4)
        .map_async(1, |quote| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            quote
        })
        .take(20)
        .collect::<Vec<_>>()
        .await?;

    let n_made = from_watch(made).first().await?.unwrap_or_default();
    let text = |quote: &Payload| String::from_utf8_lossy(&quote.data).into_owned();
    let (first, last) = (quotes.first().map(text), quotes.last().map(text));
    print(&format!(
        "{} quotes in {:?}, from {first:?} to {last:?}; {n_made} were made",
        quotes.len(),
        start.elapsed()?
    ));
    if n_made > 100 {
        return Err("the server was not held up".into());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the example is for")]
fn print(line: &str) {
    println!("{line}");
}
