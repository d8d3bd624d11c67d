//! What passes while a source is busy, or waits for its next item.

use std::sync::mpsc;

use millstream::{Overflow, just, merge, never, range, scheduler::Pool};
use millstream_testkit::Probe;

use super::{FOREVER, Numbers, Operator, in_time};

/// An item that comes once in a while is not kept back until there are more.
#[test]
fn a_rare_item_passes_while_its_source_goes_on() {
    for (name, operator) in operators_that_pass_each() {
        let first = in_time(name, move || {
            let (seen, sees) = mpsc::channel();
            let rare = range(0..u64::MAX).filter(|n| *n == 100).boxed();
            let pool = Pool::new(1);
            let flow = operator(rare).inspect(move |n| seen.send(*n).unwrap());
            let _running = flow.subscribe_on(&pool).count();
            sees.recv_timeout(FOREVER).unwrap()
        });
        assert_eq!(first, 100, "{name}");
    }
}

/// Operators that have a queue, and something to say for each item.
fn operators_that_pass_each() -> [(&'static str, Operator); 9] {
    [
        ("limit_rate", |rare| rare.limit_rate(4).boxed()),
        ("flat_map", |rare| rare.flat_map(just).concurrency(4).prefetch(4).boxed()),
        ("flat_map, many of each", |rare| {
            let hundred =
                rare.flat_map(|n| range(0..100_u64).map(move |_| n)).concurrency(4).prefetch(4);
            hundred.enumerate().filter_map(|(i, n)| (i % 100 == 99).then_some(n)).boxed()
        }),
        ("concat_map", |rare| rare.concat_map(just).boxed()),
        ("merge", |rare| merge([rare, never().boxed()]).boxed()),
        ("flat_map_iter", |rare| rare.flat_map_iter(Some).boxed()),
        ("publish_on", |rare| rare.publish_on(&Pool::new(1)).capacity(4).boxed()),
        ("map_async", |rare| {
            rare.map_async_on(&Pool::new(1), 4, millstream::Order::Source, |n| async move { n })
                .boxed()
        }),
        ("two in a row", |rare| {
            rare.limit_rate(4).flat_map(just).concurrency(4).prefetch(4).limit_rate(4).boxed()
        }),
    ]
}

/// A reader whose next line comes when the line before has been seen at the other end.
struct Waits {
    n_read: u8,
    sees: mpsc::Receiver<u64>,
}

impl std::io::Read for Waits {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.n_read > 0 && self.sees.recv_timeout(FOREVER).is_err() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        self.n_read += 1;
        if self.n_read > 3 {
            return Ok(0);
        }
        buffer[0] = b'\n';
        Ok(1)
    }
}

/// A source that waits for its next item does not keep back the last one, which was asked for.
#[test]
fn a_line_passes_before_the_next_is_read() {
    for (name, operator) in operators_that_pass_each() {
        let result = in_time(name, move || {
            let (seen, sees) = mpsc::channel();
            let reader = std::io::BufReader::new(Waits { n_read: 0, sees });
            let lines = millstream::lines(reader).enumerate().map(|(n, _)| n).boxed();
            // Merged with what never ends, it would not end by itself.
            operator(lines).take(3).for_each(move |n| seen.send(n).unwrap()).wait()
        });
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

/// Nor does a flow without end keep the source back that it was made of.
#[test]
fn a_line_is_read_while_what_was_made_of_another_goes_on() {
    let n_read = in_time("flat_map", || {
        let (read, reads) = mpsc::channel();
        let lines = millstream::lines(std::io::Cursor::new("1\n2\n3\n"));
        let flow = lines
            .inspect(move |line| read.send(line.clone()).unwrap())
            .flat_map(|_| range(0..u64::MAX))
            .concurrency(4)
            .prefetch(4);
        let pool = Pool::new(1);
        let _running = flow.subscribe_on(&pool).count();
        reads.iter().take(3).count()
    });
    assert_eq!(n_read, 3);
}

/// The consumer asks for everything, inside of `on_subscribe` or afterwards; the source does not
/// wait.
#[test]
fn what_was_asked_for_passes_whenever_it_was_asked_for() {
    type Shed = fn(Numbers) -> Numbers;
    let operators: [(&str, Shed); 9] = [
        ("on_backpressure_buffer", |all| all.on_backpressure_buffer(16, Overflow::Fail).boxed()),
        ("on_backpressure_drop", |all| all.on_backpressure_drop(drop).boxed()),
        ("on_backpressure_latest", |all| all.on_backpressure_latest().boxed()),
        ("on_backpressure_reduce", |all| all.on_backpressure_reduce(|_, b| b).boxed()),
        ("switch_map", |all| all.switch_map(just).boxed()),
        ("on_backpressure_buffer, limit_rate", |all| {
            all.on_backpressure_buffer(16, Overflow::Fail).limit_rate(4).boxed()
        }),
        ("on_backpressure_drop, limit_rate", |all| {
            all.on_backpressure_drop(drop).limit_rate(4).boxed()
        }),
        ("on_backpressure_latest, flat_map", |all| {
            all.on_backpressure_latest().flat_map(just).concurrency(4).prefetch(4).boxed()
        }),
        ("on_backpressure_reduce, concat_map", |all| {
            all.on_backpressure_reduce(|_, b| b).concat_map(just).boxed()
        }),
    ];
    for (name, operator) in operators {
        let all = || operator(range(0..100_u64).boxed());
        assert_eq!(all().count().wait().unwrap(), 100, "{name}: asked for inside");

        let probe = Probe::subscribe_to(all());
        probe.request(100);
        assert_eq!(probe.n_items(), 100, "{name}: asked for afterwards");

        let pool = Pool::new(1);
        let n = in_time(name, {
            let all = all();
            move || all.publish_on(&pool).capacity(200).count().wait()
        });
        assert_eq!(n.unwrap(), 100, "{name}: asked for by a worker");

        let stream = futures::executor::block_on_stream(all().into_stream(200));
        assert_eq!(stream.filter(Result::is_ok).count(), 100, "{name}: asked for by a poll");
    }
}
