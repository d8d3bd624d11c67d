//! RSocket as source and sink, with a server in this process.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use millstream::{BoxPublisher, Flow, just, range};
use millstream_pipeline::{Pipeline, Spec};
use millstream_rsocket::{
    Answers, ErrorCode, Listener, Payload, RSocketError, Responder, Server,
    metadata::{Authentication, Composite, Mime, Routing},
    proto::Config,
};
use millstream_testservers::Proxy;
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::{Desk, life::wait_until};

/// Streams numbers from `numbers`, and takes items at `items`.
#[derive(Default)]
struct Numbers {
    asked_for: AtomicU64,
    items: Mutex<Vec<String>>,
    /// How many items are refused before one is taken.
    busy: AtomicU64,
}

fn route(request: &Payload) -> String {
    let metadata = Composite::decode(request.metadata.clone().unwrap_or_default()).unwrap();
    let routing = metadata.get(&Mime::ROUTING).unwrap_or_default();
    Routing::decode(routing).unwrap().tags.join("")
}

fn refused(code: ErrorCode, why: &'static str) -> Flow<BoxPublisher<Payload>> {
    millstream::error(RSocketError::new(code, why).into()).boxed()
}

struct Shared(Arc<Numbers>);

impl Responder for Shared {
    fn request_stream(&self, request: Payload) -> Answers {
        if route(&request) != "numbers" {
            return refused(ErrorCode::INVALID, "no such route");
        }
        let n: u64 = std::str::from_utf8(&request.data).unwrap().parse().unwrap();
        let own = Arc::clone(&self.0);
        let numbers = range(0..n).inspect(move |n| own.asked_for.store(*n + 1, Relaxed));
        numbers.map(|n| Payload::from(format!("{{\"n\":{n}}}"))).boxed()
    }

    fn request_response(&self, request: Payload) -> Answers {
        if route(&request) != "items" {
            return refused(ErrorCode::APPLICATION_ERROR, "no such route");
        }
        if self.0.busy.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1)).is_ok() {
            return refused(ErrorCode::REJECTED, "too busy");
        }
        let text = String::from_utf8(request.data.to_vec()).unwrap();
        if text == "\"bad\"" || text == "bad" {
            return refused(ErrorCode::INVALID, "it is bad");
        }
        self.0.items.lock().push(text);
        just(Payload::default()).boxed()
    }
}

/// A server that ends with this value.
struct Serving {
    numbers: Arc<Numbers>,
    listener: Option<Listener>,
    runtime: Option<Runtime>,
}

impl Serving {
    fn start() -> Self {
        Self::with(None)
    }

    /// One that lets in who has this token.
    fn with(token: Option<&'static str>) -> Self {
        let numbers = Arc::<Numbers>::default();
        let shared = Arc::clone(&numbers);
        let server = Server::accepting(move |setup, _| {
            let metadata = setup.payload.metadata.clone().unwrap_or_default();
            let known = Composite::decode(metadata).unwrap().get(&Mime::AUTHENTICATION);
            let given = known.map(|known| Authentication::decode(known).unwrap());
            match (token, given) {
                (None, _) => Ok(Shared(Arc::clone(&shared))),
                (Some(token), Some(Authentication::Bearer(given))) if given == token => {
                    Ok(Shared(Arc::clone(&shared)))
                }
                _ => Err(RSocketError::new(ErrorCode::REJECTED_SETUP, "who are you?")),
            }
        });
        let runtime = Runtime::new().unwrap();
        let server = server.config(Config { resume: true, ..Config::default() });
        let listener = runtime.block_on(server.listen_tcp("127.0.0.1:0")).unwrap();
        Self { numbers, listener: Some(listener), runtime: Some(runtime) }
    }

    fn address(&self) -> SocketAddr {
        self.listener.as_ref().unwrap().address()
    }

    /// `AT` is its connection.
    fn yaml(&self, text: &str) -> String {
        let server = format!("connection: {{ server: 'tcp://{}' }}", self.address());
        text.replace("AT", &server)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.listener = None;
        // Its connections go on otherwise.
        self.runtime.take().unwrap().shutdown_background();
    }
}

#[test]
fn a_stream_goes_through_and_each_item_is_answered() {
    let serving = Serving::start();
    serving.numbers.busy.store(3, Relaxed);
    let yaml = serving.yaml(
        "source: { rsocket: { AT, route: numbers, request: '1000' } }
stages: [{ parse: json }, { filter: n % 10 == 0 }]
sink: { rsocket: { AT, route: items, in_flight: 8 } }",
    );

    let status = Desk::new().run(&yaml).unwrap();

    // Those that came when it was too busy came again.
    assert_eq!((status.taken, status.arrived, status.lost()), (1_000, 100, 0));
    let mut items = serving.numbers.items.lock().clone();
    items.sort_unstable();
    let mut expected: Vec<_> = (0..100).map(|n| format!("{{\"n\":{}}}", n * 10)).collect();
    expected.sort_unstable();
    assert_eq!(items, expected);
}

#[test]
fn a_server_is_asked_for_what_the_sink_takes() {
    let serving = Serving::start();
    let running = Desk::new().start(&serving.yaml(
        "source: { rsocket: { AT, route: numbers, request: '1000000' } }
sink: { 'null': { rate: 20 } }",
    ));
    let handle = running.handle();
    wait_until(|| handle.status().arrived >= 3);

    let asked_for = serving.numbers.asked_for.load(Relaxed);
    handle.abort();
    running.wait().unwrap_err();

    // What waits before the sink, and what the connection asks for ahead.
    assert!(asked_for < 1_500, "{asked_for}");
}

#[test]
fn a_stream_outlives_its_connection_where_that_is_agreed() {
    let serving = Serving::start();
    let proxy = Proxy::to(serving.address().port());
    let yaml = |more: &str| {
        format!(
            "source:
  rsocket:
    connection: {{ server: 'tcp://127.0.0.1:{}' }}
    route: numbers
    request: '3000'{more}
sink: {{ 'null': {{ rate: 2000 }} }}",
            proxy.port()
        )
    };
    let (resumed, failing) = (yaml("\n    resume_for: 30s"), yaml(""));

    let running = Desk::new().start(&resumed);
    let handle = running.handle();
    wait_until(|| handle.status().arrived > 200);
    proxy.cut();
    let status = running.wait().unwrap();
    assert_eq!((status.taken, status.arrived), (3_000, 3_000));

    let running = Desk::new().start(&failing);
    let handle = running.handle();
    wait_until(|| handle.status().arrived > 200);
    proxy.cut();
    let error = running.wait().unwrap_err().to_string();
    assert!(error.starts_with("rsocket: "), "{error}");
}

#[test]
fn a_sink_connects_anew() {
    let serving = Serving::start();
    let proxy = Proxy::to(serving.address().port());
    let running = Desk::new().start(&format!(
        "source: {{ generate: {{ rate: 2000, count: 2000 }} }}
sink: {{ rsocket: {{ connection: {{ server: 'tcp://127.0.0.1:{}' }}, route: items }} }}",
        proxy.port()
    ));
    let handle = running.handle();
    for n in 1..4 {
        wait_until(|| handle.status().arrived > n * 200);
        proxy.cut();
    }

    let status = running.wait().unwrap();

    assert_eq!((status.arrived, status.lost()), (2_000, 0));
    let mut items = serving.numbers.items.lock().clone();
    items.sort_unstable();
    items.dedup();
    assert_eq!(items.len(), 2_000);
}

#[test]
fn what_a_server_refuses_fails_the_pipeline_or_is_skipped() {
    let serving = Serving::start();
    let yaml = serving.yaml(
        "source: { generate: { rate: 1000000, count: 3, item: \"n == 1 ? 'bad' : 'good'\" } }
sink: { rsocket: { AT, route: items } }",
    );

    let error = Desk::new().run(&yaml).unwrap_err();
    assert!(error.contains("sink: ") && error.contains("it is bad"), "{error}");
    let status = Desk::new().run(&format!("on_error: skip\n{yaml}")).unwrap();
    assert_eq!((status.arrived, status.skipped), (2, 1));
    let error = Desk::new().run(&yaml.replace("route: items", "route: item")).unwrap_err();
    assert!(error.contains("no such route"), "{error}");
}

#[test]
fn who_is_not_let_in_is_told_and_a_doctor_knows() {
    let serving = Serving::with(Some("correct horse"));
    let spec = |token: &str| {
        let yaml = format!(
            "source: {{ generate: {{ rate: 10, count: 1 }} }}
sink:
  rsocket:
    connection:
      server: tcp://{}
      token: ${{TOKEN}}
    route: items",
            serving.address()
        );
        let variables = [("TOKEN".to_owned(), token.to_owned())];
        let spec = Spec::with_variables(&yaml, variables).unwrap();
        assert!(!format!("{spec:?}").contains(token));
        spec
    };
    let doctor = |token: &str| {
        let findings = Pipeline::new(spec(token)).diagnose();
        let shown = findings.into_iter().map(|it| format!("{} {}", it.verdict.name(), it.reason));
        shown.collect::<Vec<_>>().join("\n")
    };

    let run = |token: &str| Pipeline::new(spec(token)).start().unwrap().wait();
    assert_eq!(run("correct horse").unwrap().arrived, 1);
    let error = run("hunter2222").unwrap_err().to_string();
    assert!(error.contains("who are you?") && !error.contains("hunter"), "{error}");

    let good = doctor("correct horse");
    assert!(good.contains("holds tcp://") && good.contains("lets this side in"), "{good}");
    let wrong = doctor("hunter2222");
    assert!(wrong.contains("fails tcp://") && wrong.contains("who are you?"), "{wrong}");
    let address = serving.address();
    drop(serving);
    let gone = Spec::from_yaml(&format!(
        "source: {{ rsocket: {{ connection: {{ server: 'tcp://{address}' }} }} }}
sink: {{ 'null': {{}} }}"
    ));
    let gone = Pipeline::new(gone.unwrap()).diagnose();
    assert!(gone[0].reason.contains("takes no connection"), "{gone:?}");
}

#[test]
fn addresses_are_checked() {
    for server in ["localhost:7000", "http://localhost", "tcp://localhost", "tls://:7", "tcp://"] {
        let yaml = format!(
            "source: {{ rsocket: {{ connection: {{ server: '{server}' }} }} }}\nsink: {{ stdout: {{}} }}"
        );
        let error = Spec::from_yaml(&yaml).unwrap_err().to_string();
        assert!(error.contains("no server: write one as tcp://host:port"), "{server}: {error}");
    }
    for server in ["ws://localhost/rsocket", "wss://[::1]:7000", "tls://localhost:7000"] {
        let yaml = format!(
            "source: {{ rsocket: {{ connection: {{ server: '{server}' }} }} }}\nsink: {{ stdout: {{}} }}"
        );
        Spec::from_yaml(&yaml).unwrap();
    }
    let both = "source: { rsocket: { connection: { user: a, token: b } } }\nsink: { stdout: {} }";
    let error = Spec::from_yaml(both).unwrap_err().to_string();
    assert!(error.contains("one of `user` with `password` and `token`"), "{error}");
}
