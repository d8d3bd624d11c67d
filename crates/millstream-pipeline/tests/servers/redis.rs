//! Redis streams as source and sink.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use millstream_testservers as servers;

use crate::{start, wait_until};

/// Sends a command, and returns the first line of the answer.
fn ask(server: &servers::Redis, command: &str) -> String {
    let address = server.url().replace("redis://", "");
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(socket).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// How many entries of the group are not acknowledged.
fn n_pending(server: &servers::Redis) -> usize {
    let script = "EVAL \"return redis.call('XPENDING','orders','work')[1]\" 0";
    ask(server, script).trim_start_matches(':').parse().unwrap()
}

fn pipeline(server: &servers::Redis, rest: &str) -> String {
    let url = server.url();
    format!(
        "source:
  redis: {{ connection: {{ server: URL }}, key: orders, group: work, consumer: one }}\n{rest}"
    )
    .replace("URL", &format!("'{url}'"))
}

#[test]
fn what_arrived_or_was_left_out_is_acknowledged_before_the_end() {
    let Some(server) = servers::Redis::start() else { return };
    let fill = start(&format!(
        "source: {{ generate: {{ rate: 1000000, count: 500, item: \"{{'n': n, 'text': 'a b'}}\" }} }}
sink: {{ redis: {{ connection: {{ server: '{}' }}, key: orders }} }}",
        server.url()
    ));
    assert_eq!(fill.wait().unwrap().arrived, 500);
    assert_eq!(ask(&server, "XLEN orders"), ":500");

    let running = start(&pipeline(
        &server,
        "stages: [{ filter: int(n) % 5 == 0 }]
sink: { redis: { connection: { server: URL }, key: results } }",
    ));
    let handle = running.handle();
    wait_until("all to be taken", || handle.status().taken == 500);
    wait_until("a fifth to arrive", || handle.status().arrived == 100);
    handle.stop();
    running.wait().unwrap();

    assert_eq!(ask(&server, "XLEN results"), ":100");
    assert_eq!(n_pending(&server), 0);
}

#[test]
fn what_had_not_arrived_is_pending() {
    let Some(server) = servers::Redis::start() else { return };
    for n in 0..20 {
        ask(&server, &format!("XADD orders * n {n}"));
    }
    let running = start(&pipeline(
        &server,
        "stages: [{ queue: q }]
sink: { 'null': { rate: 1/min } }
backpressure: { queues: { q: { size: 80 } } }",
    ));
    let handle = running.handle();
    wait_until("all to be taken", || handle.status().taken == 20);
    let n_arrived = usize::try_from(handle.status().arrived).unwrap();
    handle.abort();
    running.wait().unwrap_err();

    assert!(n_arrived <= 1 && n_pending(&server) >= 19, "{n_arrived}");
}
