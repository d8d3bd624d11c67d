//! A server of axum that gets ten times the load that it can serve, and clients that do as they are
//! told. Prints what became of the requests, second by second.
//!
//! `cargo run --release -p millstream-http --example overload [SECONDS]`

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millstream::scheduler;
use millstream_http::{Admission, retry_after};
use millstream_pressure::{
    Algorithm, ConcurrencyLimit, LimitConfig, RetrySpread, RetrySpreadConfig,
};
use tokio::{net::TcpListener, time::sleep};

/// How long a request takes, of which so many are served at a time: 400 a second.
const WORK: Duration = Duration::from_millis(20);
const AT_A_TIME: u64 = 8;
/// Requests a second: ten times as many.
const OFFERED: u32 = 4_000;

/// What became of requests in a second.
#[derive(Clone, Copy, Default)]
struct Second {
    served: u32,
    refused: u32,
    came_back: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let n_seconds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let ambient = scheduler::ambient();
    let fixed = LimitConfig { algorithm: Algorithm::Fixed(AT_A_TIME), ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("api", fixed, &ambient)?;
    let spread = RetrySpread::new("api", RetrySpreadConfig::default(), &ambient)?;
    let admission =
        Admission::new(&spread).bypass(|request| request.uri.path() == "/livez").limit(&limit);
    let work = || async {
        sleep(WORK).await;
        "done"
    };
    let router = Router::new()
        .route("/", get(work))
        .route("/livez", get(|| async { "alive" }))
        .layer(admission.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });

    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let seconds = Arc::new(Mutex::new(BTreeMap::<u32, Second>::new()));
    for second in 0..n_seconds {
        for tick in 0..100 {
            for _ in 0..OFFERED / 100 {
                let (client, seconds) = (client.clone(), Arc::clone(&seconds));
                let note = move |set: fn(&mut Second), second| {
                    set(seconds.lock().expect("nobody panics").entry(second).or_default());
                };
                tokio::spawn(async move {
                    let request = Request::get(format!("http://{address}/"));
                    let request = request.body(Empty::<Bytes>::new()).expect("it is one");
                    let response: Result<Response<_>, _> = client.request(request).await;
                    let Ok(response) = response else { return };
                    if response.status() == StatusCode::OK {
                        return note(|second| second.served += 1, second);
                    }
                    note(|second| second.refused += 1, second);
                    let after = retry_after(response.headers()).unwrap_or_default();
                    let back = second + tick / 100 + after.as_secs() as u32;
                    note(|second| second.came_back += 1, back);
                });
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
    sleep(Duration::from_millis(500)).await;
    println!("second  served  refused  told to come back then");
    for (second, counts) in seconds.lock().expect("nobody panics").iter() {
        let Second { served, refused, came_back } = counts;
        println!("{second:>6}  {served:>6}  {refused:>7}  {came_back:>22}");
    }
    let livez = Request::get(format!("http://{address}/livez")).body(Empty::<Bytes>::new())?;
    println!("livez: {}", client.request(livez).await?.status());
    Ok(())
}
