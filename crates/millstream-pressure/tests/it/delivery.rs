//! Deliveries: each ends once, whatever happens to it, and operators pass the duty on.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{ErrorKind, Flow, Order, assert_bounded, range, scheduler::VirtualTime};
use millstream_pressure::{
    Acknowledge, Acknowledgement, BrokerConfig, DeadLetter, Delivery, Envelope, FlowExt as _,
    Headers, MemoryBroker, Position, Prefix, Queue, QueueConfig, Settlement, Unprocessed, WhenFull,
};
use millstream_testkit::{Probe, Puppet};

const SECOND: Duration = Duration::from_secs(1);

/// Writes down what became of the deliveries, by number.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<(u64, Settlement)>>>);

struct Line(u64, Book);

impl Acknowledge for Line {
    fn settle(self, settlement: Settlement) {
        self.1.0.lock().unwrap().push((self.0, settlement));
    }
}

impl Book {
    fn delivery(&self, n: u64) -> Delivery<u64, Line> {
        Delivery::new(n, Line(n, self.clone()))
    }

    fn take(&self) -> Vec<(u64, Settlement)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn ack(n: u64) -> (u64, Settlement) {
    (n, Settlement::Ack)
}

fn nack(n: u64) -> (u64, Settlement) {
    (n, Settlement::Nack { delay: Duration::ZERO })
}

fn broker(time: &VirtualTime, config: BrokerConfig) -> MemoryBroker<u64> {
    MemoryBroker::new("test", config, time).unwrap()
}

#[test]
fn a_delivery_ends_once_and_its_drop_is_a_nack() {
    let book = Book::default();
    book.delivery(1).ack();
    book.delivery(2).nack(SECOND);
    book.delivery(3).reject("bad");
    drop(book.delivery(4));
    let (_, _, acknowledgement) = book.delivery(5).into_parts();
    drop(acknowledgement);
    let reason = "bad".to_owned();
    let ends =
        [ack(1), (2, Settlement::Nack { delay: SECOND }), (3, Settlement::Reject { reason })];
    assert_eq!(book.take(), [&ends[..], &[nack(4), nack(5)]].concat());
}

#[test]
fn a_map_that_panics_gives_the_delivery_back() {
    let book = Book::default();
    let delivery = book.delivery(1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        delivery.map(|_| -> u64 { panic!("deliberate") })
    }));
    assert!(panicked.is_err());
    let failed = book.delivery(2).try_map(|n| Err::<u64, _>(n * 10)).unwrap_err();
    assert_eq!(failed.payload, 20);
    failed.reject("not a number");
    let reason = "not a number".to_owned();
    assert_eq!(book.take(), [nack(1), (2, Settlement::Reject { reason })]);
}

#[test]
fn an_acknowledgement_that_panics_in_a_drop_does_not_abort() {
    struct Panics;
    impl Acknowledge for Panics {
        fn settle(self, _: Settlement) {
            panic!("deliberate");
        }
    }
    let panicked = std::panic::catch_unwind(|| {
        let _held = Delivery::new((), Panics);
        panic!("deliberate");
    });
    assert!(panicked.is_err());
}

#[test]
fn what_a_filter_drops_is_acknowledged_and_what_a_cancel_drops_is_not() {
    let book = Book::default();
    let (puppet, publisher) = Puppet::new();
    let notes = book.clone();
    let flow = Flow::from(publisher).map(move |n| notes.delivery(n));
    let probe = Probe::subscribe_to(flow.filter_acked(|n| n % 2 == 0));
    probe.request(1);
    puppet.next(1).unwrap();
    assert_eq!((book.take(), puppet.requested().get()), (vec![ack(1)], 2));
    puppet.next(2).unwrap();
    probe.cancel();
    assert!(puppet.is_canceled() && book.take().is_empty());
    drop(probe.take_items());
    assert_eq!(book.take(), [nack(2)]);
}

#[test]
fn a_predicate_that_panics_gives_the_delivery_back() {
    let book = Book::default();
    let notes = book.clone();
    let flow = range(1..=3_u64).map(move |n| notes.delivery(n));
    let probe = Probe::subscribe_to(flow.filter_acked(|_| panic!("deliberate")));
    probe.request(1);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Panicked));
    assert_eq!(book.take(), [nack(1)]);
}

#[test]
fn work_says_what_becomes_of_each_delivery() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish_all(1..=4);
    broker.close();
    let order = Order::Completion;
    let results = broker.flow().map_async_acked_on(&time, 2, order, |n, envelope| {
        let result = match (n, envelope.attempt) {
            (2, 1) => Err(Unprocessed::retry(SECOND)),
            (3, _) => Err(Unprocessed::reject("odd")),
            _ => Ok(()),
        };
        async move { result }
    });
    let probe = Probe::subscribe_to(results.map(Delivery::ack));
    probe.request(9);
    // The third is dead at once; the second comes again when its time has come.
    time.run();
    assert_eq!((broker.snapshot().delayed, broker.snapshot().dead), (1, 1));
    assert!(!probe.is_completed());
    time.advance(SECOND);
    assert!(probe.is_completed());
    let snapshot = broker.snapshot();
    assert_eq!((snapshot.acked, snapshot.dead, snapshot.redelivered), (3, 1, 1));
    assert!(snapshot.is_whole() && snapshot.most_in_flight <= 2, "{snapshot:?}");
    let letters = broker.take_dead_letters();
    assert_eq!(letters[0].1, DeadLetter { payload: 3, reason: "odd".to_owned() });
}

#[test]
fn never_more_are_unsettled_than_were_asked_for() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish_all(0..100);
    let probe = Probe::subscribe_to(broker.flow());
    let mut asked = 0;
    for n in [1, 5, 2, 17] {
        probe.request(n);
        asked += n as usize;
        assert_eq!(broker.snapshot().in_flight, asked);
    }
    probe.cancel();
    drop(probe.take_items());
    let snapshot = broker.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.ready), (0, 100));
    // In their former order.
    let again = Probe::subscribe_to(broker.flow());
    again.request(3);
    let again: Vec<_> = again.take_items().iter().map(|delivery| delivery.payload).collect();
    assert_eq!(again, [0, 1, 2]);
}

#[test]
fn futures_that_are_dropped_give_their_deliveries_back() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish_all(0..9);
    let never = |_, _: &Envelope| std::future::pending::<Result<u64, Unprocessed>>();
    let order = Order::Source;
    let probe = Probe::subscribe_to(broker.flow().map_async_acked_on(&time, 4, order, never));
    probe.request(1);
    time.run();
    assert_eq!(broker.snapshot().in_flight, 4);
    probe.cancel();
    time.run();
    assert_eq!((broker.snapshot().in_flight, broker.snapshot().ready), (0, 9));
}

#[test]
fn work_that_panics_gives_everything_back() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish_all(0..9);
    let outcome = broker.flow().for_each_acked(3, |n, _| async move {
        assert!(n != 1, "deliberate");
        std::future::pending::<()>().await;
        Ok(())
    });
    assert_eq!(outcome.wait().unwrap_err().kind(), ErrorKind::Panicked);
    assert_eq!((broker.snapshot().in_flight, broker.snapshot().ready), (0, 9));
}

#[test]
fn a_batch_ends_as_one() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish_all(0..5);
    broker.close();
    let probe = Probe::subscribe_to(broker.flow().batch_acked(&time, 2, SECOND));
    probe.request(2);
    let mut batches = probe.take_items().into_iter();
    let (first, second) = (batches.next().unwrap(), batches.next().unwrap());
    assert_eq!((&first.payload, &second.payload), (&vec![0, 1], &vec![2, 3]));
    assert_eq!(first.envelope.position.as_ref().map(|position| position.offset), Some(1));
    first.ack();
    second.reject("late");
    assert_eq!((broker.snapshot().acked, broker.snapshot().dead), (2, 2));
    // The last is alone, and comes when its time is over.
    probe.request(1);
    time.advance(SECOND);
    let last = probe.take_items().pop().unwrap();
    assert_eq!(last.payload, [4]);
    drop(last);
    assert_eq!(broker.snapshot().in_flight, 1);
    assert_eq!(broker.snapshot().delivered, 6);
}

#[test]
fn a_letter_that_is_not_stored_is_delivered_again() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish_all([1, 2]);
    let full = QueueConfig { capacity: 1, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let letters = Queue::new("dead", full, &time).unwrap();
    let rejects = broker.flow().dead_letter(letters.clone()).map(|delivery| delivery.reject("bad"));
    let probe = Probe::subscribe_to(rejects);
    probe.request(2);
    let snapshot = broker.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.ready + snapshot.delayed), (1, 1));
    // One is stored, and acknowledged; the other is dropped with its queue.
    let stored = Probe::subscribe_to(letters.flow());
    stored.request(1);
    stored.take_items().pop().unwrap().ack();
    assert_eq!(broker.snapshot().acked, 1);
    time.advance(Duration::from_secs(60));
    probe.request(1);
    assert_eq!(broker.snapshot().in_flight, 1);
    stored.cancel();
    probe.cancel();
    drop((stored, letters, probe));
    let snapshot = broker.snapshot();
    assert!(snapshot.in_flight == 0 && snapshot.is_whole(), "{snapshot:?}");
}

#[test]
fn what_comes_too_often_is_not_passed_on() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    broker.publish(1);
    broker.close();
    let letters = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&letters);
    let sink = move |letter: Delivery<DeadLetter<u64>, _>| {
        notes.lock().unwrap().push(letter.payload.reason.clone());
        letter.ack();
    };
    let probe = Probe::subscribe_to(broker.flow().dead_letter_after(2, sink).map(drop));
    probe.request(9);
    assert_eq!(probe.items().len(), 2);
    assert!(probe.is_completed());
    assert_eq!(*letters.lock().unwrap(), ["it was delivered 3 times, of at most 2"]);
}

#[test]
fn what_takes_too_long_is_delivered_again_unless_it_says_that_it_goes_on() {
    let time = VirtualTime::new();
    let config = BrokerConfig { visibility: SECOND, max_attempts: 2 };
    let broker = broker(&time, config);
    broker.publish(7);
    let probe = Probe::subscribe_to(broker.flow());
    probe.request(3);
    let first = probe.take_items().pop().unwrap();
    time.advance(SECOND / 2);
    first.extend();
    time.advance(SECOND / 2);
    assert_eq!(probe.n_items(), 1);
    time.advance(SECOND / 2);
    let second = probe.take_items().pop().unwrap();
    assert_eq!(second.envelope.attempt, 2);
    first.ack();
    assert_eq!((broker.snapshot().late, broker.snapshot().acked), (1, 0));
    time.advance(SECOND);
    assert_eq!(broker.snapshot().dead, 1);
    second.ack();
    assert!(broker.snapshot().is_whole() && broker.snapshot().late == 2);
}

#[test]
fn an_envelope_says_what_is_known() {
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    let headers = Headers::from_iter([("trace", "1"), ("kind", "order"), ("trace", "2")]);
    let envelope = Envelope { key: Some("k".into()), headers, attempt: 9, ..Envelope::default() };
    broker.publish_with(envelope, 1);
    let probe = Probe::subscribe_to(broker.flow());
    probe.request(1);
    let envelope = probe.take_items().pop().unwrap().envelope;
    assert_eq!((envelope.attempt, envelope.headers.len()), (1, 3));
    assert_eq!(envelope.headers.get("trace").unwrap(), "1");
    assert_eq!(envelope.headers.get("none"), None);
    assert_eq!(envelope.position.unwrap().to_string(), "test@0");
    let position = Position { sequence: "events".into(), offset: 17, minor: 3 };
    assert_eq!(position.to_string(), "events@17-3");
}

#[test]
fn a_prefix_takes_no_offset_twice() {
    let mut prefix = Prefix::new();
    assert!(prefix.begin(5) && !prefix.begin(5) && !prefix.begin(4));
    assert!(prefix.begin(6) && !prefix.begin(u64::MAX));
    assert_eq!((prefix.finish(6), prefix.finish(4), prefix.len()), (None, None, 2));
    assert_eq!((prefix.finish(5), prefix.committed()), (Some(7), Some(7)));
    assert!(prefix.is_empty() && !prefix.begin(6));
}

#[test]
fn they_state_their_bounds() {
    use millstream::Backpressure as _;
    let time = VirtualTime::new();
    let broker = broker(&time, BrokerConfig::default());
    let flow =
        broker.flow().filter_acked(|_| true).dead_letter(|letter: Delivery<DeadLetter<u64>, _>| {
            letter.ack();
        });
    let flow = flow.map_async_acked(4, |n, _| async move { Ok(n) }).batch_acked(&time, 8, SECOND);
    assert_eq!(assert_bounded(flow).max_in_flight(), 20);
}

#[test]
fn many_are_settled_at_one_go() {
    let book = Book::default();
    let all = (0..3).map(|n| Acknowledgement::new(Line(n, book.clone())));
    Acknowledgement::settle_all(all, Settlement::Ack);
    assert_eq!(book.take(), [ack(0), ack(1), ack(2)]);
}
