//! Demand in marble diagrams: what the consumer asks for, and what the source is asked for.

use std::{fmt, sync::Arc};

use millstream::{
    Error, Flow, Offer, Publisher, Subscriber, Subscription,
    scheduler::{Scheduler as _, VirtualTime},
};
use millstream_kernel::{Job, Task};
use parking_lot::Mutex;

use super::{Marble, Marbles, Recorder, Seen, TICK, draw, misdrawn, parse, tick};

/// Runs `operator` over the items that `source` draws, for a consumer that asks as `requests`
/// draws, and compares both what comes out and what the source is asked for with drawings.
///
/// Besides the signs of all diagrams, one of requests has these:
///
/// | sign | meaning |
/// |---|---|
/// | `3` | `request(3)`, and a tick; `[12]` is `request(12)` |
/// | `*` | `request(u64::MAX)` |
/// | `!` | `cancel` |
///
/// In a tick, the consumer asks before the source sends. What is asked for in the first tick is
/// asked for from inside of `on_subscribe`.
///
/// # Panics
///
/// If something differs: prints all drawings, what was expected over what was seen. If a drawing
/// cannot be read: says where.
///
/// # Examples
///
/// `buffer(2)` asks for two items for each group that it is asked for, and cancels with the
/// consumer:
///
/// ```
/// use millstream_testkit::marbles::check_demand;
///
/// check_demand(
///     "1-2-3-4-5-6-|",
///     "1------1--!",
///     |source, _| source.buffer(2).map(|group| group.len()),
///     "--2----2",
///     "2------2--!",
/// );
/// ```
#[track_caller]
pub fn check_demand<P>(
    source: &str,
    requests: &str,
    operator: impl FnOnce(Flow<Asked>, &VirtualTime) -> Flow<P>,
    expected: &str,
    expected_of_source: &str,
) where
    P: Publisher<Item: fmt::Display + Send + 'static>,
{
    let clock = VirtualTime::new();
    let marbles = Marbles::new(source, &clock);
    let asks = parse_requests(requests);
    let (expected, expected_of_source) = (parse(expected), parse_requests(expected_of_source));
    let last =
        [marbles.signals.back().map(|(tick, _)| *tick), expected.last().map(|(tick, _)| *tick)]
            .into_iter()
            .chain([asks.last().map(|(tick, _)| *tick), expected_of_source.last().map(|it| it.0)])
            .flatten()
            .max();

    let consumer = Consumer::default();
    let (at_once, later): (Vec<_>, Vec<_>) = asks.into_iter().partition(|(tick, _)| *tick == 0);
    for (tick, ask) in later {
        let job = Job::new(Arc::new(Asking { consumer: consumer.clone(), ask }));
        clock.worker().schedule_after(TICK * tick, job).detach();
    }
    let seen = Arc::new(Mutex::new(Seen::default()));
    let recorder = Recorder { seen: Arc::clone(&seen), clock: clock.clone() };
    let log = Log { asks: Arc::default(), clock: clock.clone() };
    let asked = Asked { marbles, log: log.clone() };
    let at_once = at_once.into_iter().map(|(_, ask)| ask).collect();
    operator(Flow::from(asked), &clock).subscribe(Asks { recorder, consumer, at_once });
    clock.advance(TICK * (last.unwrap_or(0) + 64));

    let Seen { signals, error } = std::mem::take(&mut *seen.lock());
    let asked = std::mem::take(&mut *log.asks.lock());
    let why = error.map(|error| format!("\nit failed: {error}")).unwrap_or_default();
    assert!(
        signals == expected && asked == expected_of_source,
        "of the source   {}\nsaw             {}\nout of it       {}\nsaw             {}{why}",
        draw_requests(&expected_of_source),
        draw_requests(&asked),
        draw(&expected),
        draw(&signals),
    );
}

/// A call of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Request(u64),
    Cancel,
}

impl Ask {
    fn call(self, subscription: &dyn Subscription) {
        match self {
            Self::Request(n) => subscription.request(n),
            Self::Cancel => subscription.cancel(),
        }
    }

    fn marble(self) -> Marble {
        Marble::Item(match self {
            Self::Request(u64::MAX) => "*".into(),
            Self::Request(n) => n.to_string(),
            Self::Cancel => "!".into(),
        })
    }
}

#[track_caller]
fn parse_requests(drawing: &str) -> Vec<(u32, Ask)> {
    let ask = |(tick, marble)| match marble {
        Marble::Item(text) if text == "*" => (tick, Ask::Request(u64::MAX)),
        Marble::Item(text) if text == "!" => (tick, Ask::Cancel),
        Marble::Item(text) => match text.parse() {
            Ok(n) => (tick, Ask::Request(n)),
            Err(_) => no_request(drawing, &text),
        },
        Marble::Complete => no_request(drawing, "|"),
        Marble::Fail => no_request(drawing, "#"),
    };
    parse(drawing).into_iter().map(ask).collect()
}

#[track_caller]
fn no_request(drawing: &str, text: &str) -> ! {
    let at = drawing.find(text).map_or(0, |at| drawing[..at].chars().count());
    misdrawn(drawing, at, &format!("`{text}` is no request: use a number, `*` or `!`"))
}

fn draw_requests(asks: &[(u32, Ask)]) -> String {
    draw(&asks.iter().map(|(tick, ask)| (*tick, ask.marble())).collect::<Vec<_>>())
}

/// What the source was asked for, with the times.
#[derive(Clone, Debug)]
struct Log {
    asks: Arc<Mutex<Vec<(u32, Ask)>>>,
    clock: VirtualTime,
}

impl Log {
    fn note(&self, ask: Ask) {
        self.asks.lock().push((tick(&self.clock), ask));
    }
}

/// The publisher of a drawing's items that remembers what it is asked for: see [`check_demand`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Asked {
    marbles: Marbles,
    log: Log,
}

impl Publisher for Asked {
    type Item = char;

    fn subscribe<S: Subscriber<char>>(self, downstream: S) {
        let Self { marbles, log } = self;
        marbles.subscribe(AskedSubscriber { downstream, log });
    }
}

struct AskedSubscriber<S> {
    downstream: S,
    log: Log,
}

impl<S: Subscriber<char>> Subscriber<char> for AskedSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let log = self.log.clone();
        self.downstream.on_subscribe(Arc::new(AskedSubscription { subscription, log }));
    }

    fn on_next(&mut self, item: char) {
        self.downstream.on_next(item);
    }

    fn offer(&mut self, item: char) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}

struct AskedSubscription {
    subscription: Arc<dyn Subscription>,
    log: Log,
}

impl Subscription for AskedSubscription {
    fn request(&self, n: u64) {
        self.log.note(Ask::Request(n));
        self.subscription.request(n);
    }

    fn request_from_within(&self, n: u64) -> bool {
        let is_within = self.subscription.request_from_within(n);
        if is_within {
            self.log.note(Ask::Request(n));
        }
        is_within
    }

    fn cancel(&self) {
        self.log.note(Ask::Cancel);
        self.subscription.cancel();
    }
}

/// The consumer's subscription, for its timers.
#[derive(Clone, Default)]
struct Consumer(Arc<Mutex<Option<Arc<dyn Subscription>>>>);

/// A consumer that asks by a drawing.
struct Asks {
    recorder: Recorder,
    consumer: Consumer,
    at_once: Vec<Ask>,
}

impl<T: fmt::Display> Subscriber<T> for Asks {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        *self.consumer.0.lock() = Some(Arc::clone(&subscription));
        for ask in self.at_once.drain(..) {
            ask.call(&*subscription);
        }
    }

    fn on_next(&mut self, item: T) {
        self.recorder.on_next(item);
    }

    fn on_error(self, error: Error) {
        <Recorder as Subscriber<T>>::on_error(self.recorder, error);
    }

    fn on_complete(self) {
        <Recorder as Subscriber<T>>::on_complete(self.recorder);
    }
}

/// A request of the drawing that is due.
struct Asking {
    consumer: Consumer,
    ask: Ask,
}

impl Task for Asking {
    fn run(&self) {
        let subscription = self.consumer.0.lock().clone();
        if let Some(subscription) = subscription {
            self.ask.call(&*subscription);
        }
    }

    fn abandon(&self, _: Error) {}
}
