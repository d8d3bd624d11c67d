//! Requests that bring items, and services that are called.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream_pipeline::{Pipeline, Running, Verdict};

use crate::{Desk, life::wait_until};

fn address(running: &Running) -> SocketAddr {
    running.handle().listening()[0].1
}

/// The status line and the rest of the answer to a request: nothing if the server has answered and
/// closed while the request was being sent, and the system has dropped the answer for that.
fn post(address: SocketAddr, body: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    let _sent = write!(
        socket,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let mut answer = Vec::new();
    let _read = socket.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// A service: what it was sent, and what it answers to each request.
struct Service {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Service {
    fn start(mut answer: impl FnMut(usize, &str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut reader = BufReader::new(socket.unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or(0) > 2 {}
                let length = head
                    .to_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .map_or(0, |it| it.split("\r\n").next().unwrap().parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body = String::from_utf8(body).unwrap();
                let n = {
                    let mut all = all.lock().unwrap();
                    all.push((head, body.clone()));
                    all.len() - 1
                };
                let text = answer(n, &body);
                reader.get_mut().write_all(text.as_bytes()).ok();
            }
        });
        Self { address, seen }
    }

    fn bodies(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

#[test]
fn a_request_is_answered_when_its_lines_have_arrived() {
    let desk = Desk::new();
    let running = desk.start(
        "source: { http: { listen: '127.0.0.1:0' } }
on_error: skip
stages: [{ parse: json }, { filter: n > 0 }]
sink: { file: { path: DIR/out } }",
    );

    let good = post(address(&running), "{\"n\":1}\n{\"n\":0}\n{\"n\":2}\n");
    assert!(good.starts_with("HTTP/1.1 200"), "{good}");
    // It is there when the client knows.
    assert_eq!(desk.read("out"), "{\"n\":1}\n{\"n\":2}\n");
    let wrong = post(address(&running), "{\"n\":1}\nnonsense\n");
    assert!(wrong.starts_with("HTTP/1.1 422") && wrong.contains("stages[0] parse"), "{wrong}");
    let too_large = "x".repeat((1 << 20) + 1);
    let answers = (0..100).map(|_| post(address(&running), &too_large));
    let large = answers.into_iter().find(|answer| !answer.is_empty()).expect("an answer");
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
    running.handle().stop();
    running.wait().unwrap();
}

#[test]
fn a_request_without_room_is_refused_whole_and_told_when_to_come_again() {
    let desk = Desk::new();
    let running = desk.start(
        "source:
  http: { listen: '127.0.0.1:0', answer: accepted, capacity: 10, retry_after: 3s }
stages: [{ rate: { rate: 1/min, burst: 1 } }]
sink: { 'null': {} }",
    );
    let address = address(&running);
    let lines = |n: usize| "line\n".repeat(n);

    let accepted = (0..100).take_while(|_| post(address, &lines(4)).starts_with("HTTP/1.1 202"));
    assert!(accepted.count() < 10);
    let refused = post(address, &lines(4));
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: 3"), "{refused}");
    let never = post(address, &lines(11));
    assert!(never.starts_with("HTTP/1.1 413") && never.contains("at most 10 lines"), "{never}");
    running.handle().abort();
}

#[test]
fn a_sink_sends_again_what_was_refused_for_now() {
    let service = Service::start(|n, _| match n {
        0 => response("503 Busy", "Retry-After: 0\r\n", ""),
        _ => response("204 No Content", "", ""),
    });
    let desk = Desk::new();
    desk.write("in", "one\n{\"two\":2}\n");

    let status = desk
        .run(&format!(
            "source: {{ file: {{ path: DIR/in }} }}
stages: [{{ map: \"it.startsWith('{{') ? {{'two': 2}} : it\" }}]
sink: {{ http: {{ url: 'http://{}/in', concurrency: 1, headers: {{ x-key: secret }} }} }}",
            service.address
        ))
        .unwrap();

    assert_eq!(status.arrived, 2);
    assert_eq!(service.bodies(), ["one", "one", "{\"two\":2}"]);
    let (head, _) = service.seen.lock().unwrap()[2].clone();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /in ") && head.contains("x-key: secret"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
}

#[test]
fn what_a_service_never_will_take_fails_or_is_skipped() {
    let service = Service::start(|_, body| match body {
        "bad" => response("400 Bad Request", "", "no such thing"),
        _ => response("200 OK", "", ""),
    });
    let desk = Desk::new();
    desk.write("in", "good\nbad\ngood\n");
    let yaml = format!(
        "source: {{ file: {{ path: DIR/in }} }}\nsink: {{ http: {{ url: 'http://{}' }} }}",
        service.address
    );

    let error = desk.run(&yaml).unwrap_err();
    assert!(error.contains("answers 400 Bad Request no such thing"), "{error}");
    let status = desk.run(&format!("on_error: skip\n{yaml}")).unwrap();
    assert_eq!((status.arrived, status.skipped), (2, 1));
}

#[test]
fn a_call_puts_the_answer_into_the_item_and_tries_again_within_its_budget() {
    let service = Service::start(|n, _| match n {
        0 => response("500 Oops", "", ""),
        _ => response("200 OK", "Content-Type: application/json\r\n", "{\"name\":\"Ada\"}"),
    });
    let desk = Desk::new();
    desk.write("in", "{\"id\":7}\n{\"id\":8}\n");

    let status = desk
        .run(&format!(
            "source: {{ file: {{ path: DIR/in }} }}
stages:
  - parse: json
  - call: {{ url: 'http://{}/users', append: id, into: user, concurrency: 1 }}
  - filter: user.name == 'Ada'
sink: {{ file: {{ path: DIR/out }} }}",
            service.address
        ))
        .unwrap();

    assert_eq!(status.arrived, 2);
    let out = desk.read("out");
    assert_eq!(out.lines().next(), Some("{\"id\":7,\"user\":{\"name\":\"Ada\"}}"));
    let seen = service.seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|(head, _)| head.split(' ').nth(1).unwrap()).collect();
    assert_eq!(paths, ["/users/7", "/users/7", "/users/8"]);
}

#[test]
fn a_breaker_leaves_a_service_alone_that_fails() {
    let service = Service::start(|_, _| response("503 Busy", "", ""));
    let desk = Desk::new();
    let running = desk.start(&format!(
        "source: {{ generate: {{ rate: 10000 }} }}
on_error: skip
stages:
  - call:
      url: 'http://{}'
      retry: {{ attempts: 1 }}
      breaker: {{ calls: 10, open_for: 10m }}
sink: {{ 'null': {{}} }}",
        service.address
    ));
    let handle = running.handle();
    wait_until(|| handle.status().skipped >= 10);
    std::thread::sleep(Duration::from_millis(300));

    // Those that were on their way, and no more: the others wait.
    assert!(service.bodies().len() <= 30, "{}", service.bodies().len());
    assert_eq!(handle.status().arrived, 0);
    handle.abort();
}

#[test]
fn what_cannot_be_sent_is_said_when_the_file_is_read() {
    let says = |stage: &str, part: &str| {
        let yaml =
            format!("source: {{ stdin: {{}} }}\nstages: [{stage}]\nsink: {{ stdout: {{}} }}");
        let error = millstream_pipeline::Spec::from_yaml(&yaml).unwrap_err().to_string();
        // The line of the file is shown behind it.
        let why = error.lines().next().unwrap();
        assert!(why.contains(part) && !why.contains("hunter2"), "{error}");
    };
    says("{ call: { url: 'ftp://x' } }", "is neither http nor https");
    says("{ call: { url: 'http://u:hunter2@x' } }", "has a password in it");
    says("{ call: { url: 'http://x', method: 'no way' } }", "is no method");
    says("{ call: { url: 'http://x', headers: { 'a b': x } } }", "is no header");
}

#[test]
fn a_request_that_was_taken_is_answered_before_the_end() {
    let desk = Desk::new();
    let running = desk.start(
        "source: { http: { listen: '127.0.0.1:0' } }
sink: { 'null': { rate: 100 } }",
    );
    let (handle, address) = (running.handle(), address(&running));
    let client = std::thread::spawn(move || post(address, &"line\n".repeat(20)));
    wait_until(|| handle.status().taken > 0);

    handle.stop();
    let status = running.wait().unwrap();

    let answer = client.join().unwrap();
    // What had not been taken is refused, and what had been is there; either is said.
    let expected = if status.arrived == 20 { "HTTP/1.1 200" } else { "HTTP/1.1 503" };
    assert!(answer.starts_with(expected), "{status:?}: {answer}");
}

#[test]
fn a_doctor_looks_at_ports_and_services_and_a_plan_opens_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let desk = Desk::new();
    let pipeline = Pipeline::new(desk.spec(&format!(
        "source: {{ http: {{ listen: '{address}' }} }}
stages: [{{ call: {{ url: 'http://127.0.0.1:1/users' }} }}]
sink: {{ http: {{ url: 'http://{address}' }} }}"
    )));

    let found: Vec<_> =
        pipeline.diagnose().into_iter().map(|it| (it.group, it.verdict, it.reason)).collect();

    assert_eq!(found.len(), 3, "{found:?}");
    let has = |n: usize, group: &str, verdict, part: &str| {
        let (of, is, reason) = &found[n];
        assert!((*of, *is) == (group, verdict) && reason.contains(part), "{found:?}");
    };
    has(0, "source", Verdict::Fails, "cannot be listened on");
    has(1, "stages", Verdict::Fails, "127.0.0.1:1 takes no connection");
    has(2, "sink", Verdict::Holds, "takes connections");
    let plan = pipeline.describe();
    let called = "call http://127.0.0.1:1/users, at most 8 at a time";
    assert!(plan.contains(called) && plan.contains("stages[0] call"), "{plan}");
    let fails = |it: &millstream_pipeline::Finding| it.verdict == Verdict::Fails;
    let audit = pipeline.audit();
    assert!(!audit.iter().any(|it| fails(it) && it.group == "protection"), "{audit:?}");
}
