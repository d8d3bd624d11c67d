//! Lines over TCP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use millstream_pipeline::Running;

use crate::{Desk, life::wait_until};

const LISTEN: &str = "tcp: { listen: '127.0.0.1:0', max_line: 1 KiB }";

fn address(running: &Running) -> SocketAddr {
    running.handle().listening()[0].1
}

#[test]
fn the_lines_of_many_connections_come_in() {
    let desk = Desk::new();
    let running =
        desk.start(&format!("source: {{ {LISTEN} }}\nsink: {{ file: {{ path: DIR/out }} }}"));
    let address = address(&running);
    let clients = (0..10).map(|client| {
        std::thread::spawn(move || {
            let mut socket = TcpStream::connect(address).unwrap();
            for n in 0..100 {
                writeln!(socket, "{client} {n}").unwrap();
            }
        })
    });
    clients.collect::<Vec<_>>().into_iter().for_each(|client| client.join().unwrap());
    let handle = running.handle();
    wait_until(|| handle.status().arrived == 1_000);
    handle.stop();
    running.wait().unwrap();

    let text = desk.read("out");
    let of = |client: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let mine = lines.filter(|(name, _)| *name == client);
        mine.map(|(_, n)| n.parse::<u64>().unwrap()).collect::<Vec<_>>()
    };
    assert!((0..10).all(|client| of(&client.to_string()) == (0..100).collect::<Vec<_>>()));
}

#[test]
fn what_one_client_does_wrong_concerns_no_other() {
    let desk = Desk::new();
    let running =
        desk.start(&format!("source: {{ {LISTEN} }}\nsink: {{ file: {{ path: DIR/out }} }}"));
    let connect = || TcpStream::connect(address(&running)).unwrap();
    let (mut good, mut long, mut binary) = (connect(), connect(), connect());
    long.write_all(&[b'x'; 5_000]).unwrap();
    binary.write_all(b"\xff\xfe\n").unwrap();
    // Each is closed.
    long.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(matches!(long.read(&mut [0]), Ok(0) | Err(_)));
    good.write_all(b"fine\n").unwrap();
    let handle = running.handle();
    wait_until(|| handle.status().arrived == 1 && handle.status().skipped == 2);
    assert!(handle.status().first_fault.unwrap().contains("the connection of 127.0.0.1"));
    handle.stop();

    running.wait().unwrap();

    assert_eq!(desk.read("out"), "fine\n");
}

#[test]
fn a_client_is_slowed_to_what_the_sink_takes() {
    let running =
        Desk::new().start(&format!("source: {{ {LISTEN} }}\nsink: {{ 'null': {{ rate: 10 }} }}"));
    let mut socket = TcpStream::connect(address(&running)).unwrap();
    socket.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let line = [b"x".repeat(999), b"\n".to_vec()].concat();
    let mut n_sent = 0;

    while socket.write_all(&line).is_ok() && n_sent < 100_000 {
        n_sent += 1;
    }

    // What sockets and flows hold, and no more.
    assert!(n_sent < 20_000, "{n_sent}");
    running.handle().abort();
}

#[test]
fn lines_go_to_a_server_and_to_the_next_when_it_is_gone() {
    let desk = Desk::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let lines = std::thread::spawn(move || {
        let (first, _) = server.accept().unwrap();
        let mut lines = BufReader::new(first).lines().map(Result::unwrap);
        let mut seen: Vec<_> = lines.by_ref().take(50).collect();
        drop(lines);
        let (second, _) = server.accept().unwrap();
        seen.extend(BufReader::new(second).lines().map(Result::unwrap));
        seen
    });

    let status = desk
        .run(&format!(
            "source: {{ generate: {{ rate: 2000, count: 1000, item: n }} }}
sink: {{ tcp: {{ address: 'localhost:{port}' }} }}"
        ))
        .unwrap();

    let seen = lines.join().unwrap();
    assert_eq!(status.arrived, 1_000);
    assert_eq!((seen[0].as_str(), seen.last().unwrap().as_str()), ("0", "999"));
    // TCP confirms nothing: a few may be lost with the first connection, or come twice.
    assert!(seen.len() > 500, "{}", seen.len());
}

#[test]
fn a_port_that_is_taken_and_a_server_that_is_not_there_are_said() {
    let desk = Desk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let start = |yaml: &str| {
        let error = millstream_pipeline::Pipeline::new(desk.spec(yaml)).start().unwrap_err();
        error.to_string()
    };

    let error =
        start(&format!("source: {{ tcp: {{ listen: '{address}' }} }}\nsink: {{ 'null': {{}} }}"));
    assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
    drop(taken);
    let error = start(&format!(
        "source: {{ generate: {{ rate: 1 }} }}\nsink: {{ tcp: {{ address: '{address}' }} }}"
    ));
    assert!(error.starts_with(&format!("tcp {address}: cannot connect: ")), "{error}");
}
