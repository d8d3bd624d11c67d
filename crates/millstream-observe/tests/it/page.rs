//! What the page's server answers, to those who may ask and those who may not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::Registry;
use millstream_observe::{
    Health, HealthConfig, Inventory,
    page::{Controls, Page, Serving},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::{inventory, two_stages};

/// What is answered: the status, the headers and the body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: String,
    body: String,
}

pub(crate) async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("it answers");
    let (headers, body) = text.split_once("\r\n\r\n").expect("headers end");
    let status = headers.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, headers: headers.to_owned(), body: body.to_owned() }
}

pub(crate) fn get(path: &str, host: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let n = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {n}\r\n\
         {headers}\r\n{body}"
    )
}

pub(crate) async fn serve(page: Page) -> Serving {
    page.interval(Duration::from_millis(50)).bind("127.0.0.1:0").await.expect("a free port")
}

/// Reads events: the name and the data of each.
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    pub(crate) async fn of(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let request = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("it reads");
        Self(BufReader::new(stream))
    }

    /// The next one; none at the end.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if let Some(event) = line.strip_prefix("event: ") {
                event.trim().clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((name, serde_json::from_str(data).expect("JSON")));
            }
        }
    }
}

#[tokio::test]
async fn a_browser_is_told_everything_and_then_what_changes() {
    let (time, inventory) = inventory();
    let (registry, probe) = two_stages();
    inventory.flow("main", &registry);
    let page = serve(Page::new(&inventory)).await;
    let mut events = Events::of(page.address()).await;

    let (name, hello) = events.next().await.unwrap();
    assert_eq!(name, "hello");
    assert_eq!(hello["view"]["snapshot"]["flows"][0]["stages"][1]["delivered"], 3);
    assert_eq!(hello["view"]["flows"][0]["consumer"], "bottleneck");

    probe.request(2);
    time.advance(Duration::from_secs(1));
    let delivered = loop {
        let (name, frame) = events.next().await.unwrap();
        assert_eq!(name, "frame");
        if frame["snapshot"]["flows"][0]["stages"][1]["delivered"] != 3 {
            break frame["snapshot"]["flows"][0]["stages"][1]["delivered"].clone();
        }
    };
    assert_eq!(delivered, 5);

    // Who comes later is told what has been.
    let (_, hello) = Events::of(page.address()).await.next().await.unwrap();
    assert!(!hello["history"]["points"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_document_has_nothing_from_outside_and_allows_nothing() {
    let time = millstream::scheduler::VirtualTime::new();
    let inventory = Inventory::new("<b>shop</b>", &time);
    let page = serve(Page::new(&inventory)).await;

    let answer = ask(page.address(), &get("/", "localhost")).await;

    assert_eq!(answer.status, 200);
    let headers = answer.headers.to_ascii_lowercase();
    for header in [
        "content-security-policy: default-src 'none';",
        "require-trusted-types-for 'script'",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "cache-control: no-store",
    ] {
        assert!(headers.contains(header), "{header} is not in\n{headers}");
    }
    assert!(answer.body.contains("<title>&#60;b&#62;shop&#60;/b&#62; · millstream</title>"));
}

#[tokio::test]
async fn a_name_of_somebody_elses_is_refused() {
    let (_, inventory) = inventory();
    let page = serve(Page::new(&inventory).allow_host("flows.example")).await;
    for path in ["/", "/events", "/snapshot.json", "/describe"] {
        assert_eq!(ask(page.address(), &get(path, "evil.example")).await.status, 421, "{path}");
    }
    assert_eq!(ask(page.address(), &get("/", "flows.example:80")).await.status, 200);
}

#[tokio::test]
async fn probes_and_prometheus_are_answered() {
    let (time, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    let queue = millstream_pressure::Queue::new("orders", Default::default(), &time).unwrap();
    inventory.policy(&queue);
    let config = HealthConfig { unready_after: Duration::ZERO, ..HealthConfig::default() };
    let health = Health::new(&inventory, config);
    let page = serve(Page::new(&inventory).with_health(&health)).await;

    let live = ask(page.address(), &get("/livez", "localhost")).await;
    assert_eq!((live.status, &*live.body), (200, "{\"is_ok\":true,\"reasons\":[]}"));
    assert_eq!(ask(page.address(), &get("/readyz", "localhost")).await.status, 200);
    queue.try_put(1).unwrap();
    time.advance(Duration::from_secs(1));
    let ready = ask(page.address(), &get("/readyz", "localhost")).await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("1 items wait, and none is taken"), "{}", ready.body);
    assert!(ready.headers.contains("application/json"));

    #[cfg(feature = "metrics")]
    {
        let metrics = ask(page.address(), &get("/metrics", "localhost")).await;
        assert!(metrics.headers.contains("text/plain; version=0.0.4"));
        assert!(metrics.body.contains("millstream_stage_delivered_items_total{flow=\"main\""));
    }
}

#[tokio::test]
async fn the_snapshot_and_the_description_can_be_downloaded() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    let page = serve(Page::new(&inventory)).await;

    let snapshot = ask(page.address(), &get("/snapshot.json", "localhost")).await;
    let view: millstream_observe::View = serde_json::from_str(&snapshot.body).unwrap();
    assert_eq!(view.snapshot.flows[0].stages[0].delivered, 3);
    let text = ask(page.address(), &get("/describe", "localhost")).await.body;
    assert_eq!(text, inventory.describe().to_string());
    let chart = ask(page.address(), &get("/describe.mmd", "localhost")).await.body;
    assert!(chart.starts_with("flowchart LR\n"));
}

#[tokio::test]
async fn the_last_signals_can_be_fetched() {
    let (time, inventory) = inventory();
    let registry = Registry::recording_last(8, &time);
    let flow = millstream::range(0..9).inspect_demand("a&b <c>", &registry);
    inventory.flow("main", &registry);
    let probe = millstream_testkit::Probe::subscribe_to(flow);
    probe.request(2);
    let page = serve(Page::new(&inventory)).await;
    let body = async |path: &str| ask(page.address(), &get(path, "localhost")).await.body;

    let stage: Value = serde_json::from_str(&body("/flight/main/a%26b%20%3Cc%3E").await).unwrap();
    assert_eq!(stage["stages"][0]["signals"].as_array().unwrap().len(), 3);
    assert_eq!(stage["stages"][0]["signals"][0]["n"], 2);
    assert_eq!(body("/flight/none/none").await, "null");
    assert_eq!(body("/flight/main/none").await, "null");
    assert!(body("/flight.json").await.contains("\"flows\":[{\"name\":\"main\""));
    assert!(body("/flight.txt").await.starts_with("main, the last 0 ms"));
    assert!(body("/flight.svg").await.starts_with("<svg"));
    assert!(body("/describe.svg").await.starts_with("<svg"));
    assert!(body("/flight.trace.json").await.contains("\"traceEvents\""));
    assert!(body("/stalls").await.starts_with("what is below `a&b <c>` asked for 0"));
}

#[tokio::test]
async fn controls_are_called_by_those_who_have_the_token_alone() {
    let (_, inventory) = inventory();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (presses, sets) = (Arc::clone(&calls), Arc::clone(&calls));
    let controls = Controls::new()
        .button("break", "Break it", move || {
            presses.lock().unwrap().push(-1.0);
            Ok(())
        })
        .slider("rate", "Rate", (0.0, 10.0), 5.0, move |rate| {
            sets.lock().unwrap().push(rate);
            Ok(())
        })
        .button("fail", "Fail", || Err("it has failed".to_owned()))
        .button("panic", "Panic", || panic!("planted"));
    let page = serve(Page::new(&inventory).with_controls(controls).with_token("secret")).await;
    let status =
        async |path, headers, body| ask(page.address(), &post(path, headers, body)).await.status;
    let long = "1".repeat(2000);
    let token = "X-Millstream-Token: secret\r\n";
    let from_elsewhere = "X-Millstream-Token: secret\r\nOrigin: http://evil.example\r\n";

    assert_eq!(status("/controls/break", token, "").await, 204);
    assert_eq!(status("/controls/rate", token, "2.5").await, 204);
    assert_eq!(status("/controls/break", "", "").await, 403);
    assert_eq!(status("/controls/break", "X-Millstream-Token: guess\r\n", "").await, 403);
    assert_eq!(status("/controls/break", from_elsewhere, "").await, 403);
    assert_eq!(status("/controls/rate", token, "11").await, 400);
    assert_eq!(status("/controls/rate", token, "NaN").await, 400);
    assert_eq!(status("/controls/rate", token, "many").await, 400);
    assert_eq!(status("/controls/rate", token, "").await, 400);
    assert_eq!(status("/controls/rate", token, &long).await, 413);
    assert_eq!(status("/controls/break", token, "1").await, 400);
    assert_eq!(status("/controls/none", token, "").await, 400);
    assert_eq!(status("/controls/panic", token, "").await, 500);
    let failed = ask(page.address(), &post("/controls/fail", token, "")).await;
    assert_eq!((failed.status, &*failed.body), (409, "it has failed"));

    assert_eq!(*calls.lock().unwrap(), [-1.0, 2.5]);
    // A token of the program's own is not in the page.
    let document = ask(page.address(), &get("/", "localhost")).await.body;
    assert!(!document.contains("secret"));
}

#[tokio::test]
async fn without_controls_nothing_can_be_changed() {
    let (_, inventory) = inventory();
    let page = serve(Page::new(&inventory).with_token("secret")).await;
    let token = "X-Millstream-Token: secret\r\n";

    let answer = ask(page.address(), &post("/controls/rate", token, "1")).await;

    assert_eq!((answer.status, &*answer.body), (400, "there is no control \"rate\""));
    assert_eq!(ask(page.address(), &post("/", token, "")).await.status, 405);
}

#[tokio::test]
async fn an_address_that_others_can_reach_has_to_be_allowed() {
    let (_, inventory) = inventory();
    let controls = || Controls::new().button("break", "Break it", || Ok(()));

    let error = Page::serve("0.0.0.0:0", &inventory).await.unwrap_err();
    assert!(error.to_string().contains("call `allow_remote`"), "{error}");
    let open = Page::new(&inventory).allow_remote().with_controls(controls());
    let error = open.clone().bind("0.0.0.0:0").await.unwrap_err();
    assert!(error.to_string().contains("call `with_token`"), "{error}");
    assert!(open.with_token("secret").bind("0.0.0.0:0").await.is_ok());
    let taken = Page::serve("127.0.0.1:0", &inventory).await.unwrap();
    assert!(Page::serve(taken.address(), &inventory).await.is_err());
}

#[tokio::test]
async fn more_browsers_than_there_are_places_are_asked_to_come_back() {
    let (_, inventory) = inventory();
    let page = serve(Page::new(&inventory).max_browsers(1)).await;
    let mut first = Events::of(page.address()).await;
    first.next().await.unwrap();

    let answer = ask(page.address(), &get("/events", "localhost")).await;

    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains("retry-after: 10"), "{}", answer.headers);
    first.next().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_shut_down_ends_its_streams_and_frees_the_address() {
    let (_, inventory) = inventory();
    let page = serve(Page::new(&inventory)).await;
    let address = page.address();
    let mut events = Events::of(address).await;
    events.next().await.unwrap();

    page.shutdown().await;
    while events.next().await.is_some() {}

    let again = Page::serve(address, &inventory).await.unwrap();
    assert_eq!(ask(again.address(), &get("/", "localhost")).await.status, 200);
    drop(again);
    let dropped = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), dropped).await.expect("it is gone");
}

#[tokio::test]
async fn a_policy_that_panics_does_not_end_the_page() {
    #[derive(Clone)]
    struct Broken;
    impl millstream_observe::Observe for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        fn reading(&self) -> millstream_observe::Reading {
            panic!("planted")
        }
    }
    let (_, inventory) = inventory();
    inventory.flow("main", &Registry::new());
    inventory.policy(&Broken);
    let page = serve(Page::new(&inventory)).await;
    let mut events = Events::of(page.address()).await;
    events.next().await.unwrap();

    let (_, frame) = events.next().await.unwrap();

    assert_eq!(frame["snapshot"]["policies"][0]["condition"]["state"], "unreadable");
    assert_eq!(frame["snapshot"]["flows"][0]["name"], "main");
}
