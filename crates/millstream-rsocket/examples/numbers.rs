//! A responder to judge, and to measure: request-stream answers with numbers, as many as the data
//! says. It prints its port, and goes on until it is ended.

use std::future::pending;

use millstream::{Error, error, range};
use millstream_rsocket::{Answers, Payload, Responder, Server};

struct Numbers;

impl Responder for Numbers {
    fn request_stream(&self, request: Payload) -> Answers {
        match std::str::from_utf8(&request.data).ok().and_then(|n| n.parse().ok()) {
            Some(n) => range(0..n).map(|n: u64| Payload::from(n.to_string())).boxed(),
            None => error(Error::message("no number")).boxed(),
        }
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "who started this reads the port")]
async fn main() -> std::io::Result<()> {
    let listener = Server::new(Numbers).listen_tcp("127.0.0.1:0").await?;
    println!("{}", listener.address().port());
    pending().await
}
