//! Marble diagrams: what comes out when, drawn in a line.
//!
//! | sign | meaning |
//! |---|---|
//! | `-` | time passes: one tick, a virtual millisecond |
//! | `1` | an item, and a tick; `[12]` is an item of several letters, `[-]` one that looks like a sign |
//! | `(12\|)` | several signals in one tick |
//! | `\|` | the stream completes |
//! | `#` | the stream fails |
//!
//! Blanks may be used to line diagrams up. Nothing but time follows an end. The items of a source
//! are single letters, which an operator may map to something else.
//!
//! [`check`] asks for everything; [`check_demand`] draws what is asked for as well.

mod demand;

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use millstream::{
    Error, Flow, Publisher, Subscriber, Subscription,
    scheduler::{Scheduler, VirtualTime},
};
use millstream_kernel::{End, Gate, Inline, Job, Source, Step, Task, Wake};
use parking_lot::Mutex;

pub use self::demand::{Asked, check_demand};

const TICK: Duration = Duration::from_millis(1);

/// Letters that are no items by themselves.
const SIGNS: [char; 8] = [' ', '-', '(', ')', '[', ']', '|', '#'];

/// Runs `operator` over the items that `source` draws, asks for everything, and compares what comes
/// out with the drawing `expected`.
///
/// # Panics
///
/// If they differ: prints both drawings, and the error if the flow failed. If a drawing cannot be
/// read: says where.
///
/// # Examples
///
/// ```
/// use millstream_testkit::marbles::check;
///
/// check("--1--2--3--|", |source| source.skip(1), "-----2--3--|");
/// ```
#[track_caller]
pub fn check<P>(source: &str, operator: impl FnOnce(Flow<Marbles>) -> Flow<P>, expected: &str)
where
    P: Publisher<Item: fmt::Display + Send + 'static>,
{
    check_in_time(source, |source, _| operator(source), expected);
}

/// [`check`] for an operator that needs the time: it gets the clock of the diagrams as well.
///
/// # Panics
///
/// As [`check`].
#[track_caller]
pub fn check_in_time<P>(
    source: &str,
    operator: impl FnOnce(Flow<Marbles>, &VirtualTime) -> Flow<P>,
    expected: &str,
) where
    P: Publisher<Item: fmt::Display + Send + 'static>,
{
    let clock = VirtualTime::new();
    let marbles = Marbles::new(source, &clock);
    let last = marbles.signals.back().map_or(0, |(tick, _)| *tick);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let recorder = Recorder { seen: Arc::clone(&seen), clock: clock.clone() };
    operator(Flow::from(marbles), &clock).subscribe(recorder);
    let expected = parse(expected);
    let end = last.max(expected.last().map_or(0, |(tick, _)| *tick)) + 64;
    clock.advance(TICK * end);
    let Seen { signals, error } = std::mem::take(&mut *seen.lock());
    let why = error.map(|error| format!("\nit failed: {error}")).unwrap_or_default();
    assert!(signals == expected, "expected {}\nbut saw  {}{why}", draw(&expected), draw(&signals));
}

/// The items that `drawing` draws, at their times after it is subscribed to: for operators of
/// several flows.
///
/// # Panics
///
/// If the drawing cannot be read: says where.
///
/// # Examples
///
/// ```
/// use millstream_testkit::marbles::{check_in_time, source};
///
/// check_in_time("-1-|", |one, clock| one.concat(source("-2-|", clock)), "-1--2-|");
/// ```
#[track_caller]
pub fn source(drawing: &str, clock: &VirtualTime) -> Flow<Marbles> {
    Flow::from(Marbles::new(drawing, clock))
}

/// A signal in a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Marble {
    Item(String),
    Complete,
    Fail,
}

/// The publisher of a drawing's items, each as one letter.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Marbles {
    signals: VecDeque<(u32, Marble)>,
    clock: VirtualTime,
}

impl Marbles {
    #[track_caller]
    fn new(drawing: &str, clock: &VirtualTime) -> Self {
        let signals = parse(drawing);
        for (_, marble) in &signals {
            if let Marble::Item(item) = marble {
                let is_letter = item.chars().count() == 1;
                assert!(
                    is_letter,
                    "`[{item}]` is no single letter in the source `{drawing}`: map one"
                );
            }
        }
        Self { signals: signals.into(), clock: clock.clone() }
    }
}

impl Publisher for Marbles {
    type Item = char;

    fn subscribe<S: Subscriber<char>>(self, subscriber: S) {
        let Self { signals, clock } = self;
        let ticks: Vec<u32> = signals.iter().map(|(tick, _)| *tick).collect();
        let worker = clock.worker();
        let start = clock.now();
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| {
            (MarbleSource { signals, clock, start }, subscriber, Inline)
        });
        for tick in ticks {
            let gate: Arc<dyn Wake> = Arc::<Gate<MarbleSource, S, Inline>>::clone(&gate);
            worker.schedule_after(TICK * tick, Job::new(Arc::new(Bell(gate)))).detach();
        }
    }
}

struct MarbleSource {
    signals: VecDeque<(u32, Marble)>,
    clock: VirtualTime,
    start: Duration,
}

impl MarbleSource {
    /// The next signal, if it is due.
    fn due(&self) -> Option<&Marble> {
        let (tick, marble) = self.signals.front()?;
        (self.start + TICK * *tick <= self.clock.now()).then_some(marble)
    }
}

impl Source for MarbleSource {
    type Item = char;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<char> {
        match self.due() {
            None => Step::Pending,
            Some(Marble::Complete) => Step::End(End::Complete),
            Some(Marble::Fail) => Step::End(End::Failed(Error::message("#"))),
            Some(Marble::Item(item)) => {
                let item = item.chars().next().unwrap_or_default();
                self.signals.pop_front();
                Step::Item(item)
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        match self.due()? {
            Marble::Complete => Some(End::Complete),
            Marble::Fail => Some(End::Failed(Error::message("#"))),
            Marble::Item(_) => None,
        }
    }
}

/// Tells a source that the time of a signal has come.
struct Bell(Arc<dyn Wake>);

impl Task for Bell {
    fn run(&self) {
        self.0.wake();
    }

    fn abandon(&self, _: Error) {}
}

/// What came out.
#[derive(Default)]
struct Seen {
    signals: Vec<(u32, Marble)>,
    error: Option<Error>,
}

struct Recorder {
    seen: Arc<Mutex<Seen>>,
    clock: VirtualTime,
}

impl Recorder {
    fn record(&self, marble: Marble) {
        self.seen.lock().signals.push((tick(&self.clock), marble));
    }
}

/// How many ticks have passed.
fn tick(clock: &VirtualTime) -> u32 {
    u32::try_from(clock.now().as_millis()).unwrap_or(u32::MAX)
}

impl<T: fmt::Display> Subscriber<T> for Recorder {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(u64::MAX);
    }

    fn on_next(&mut self, item: T) {
        self.record(Marble::Item(item.to_string()));
    }

    fn on_error(self, error: Error) {
        self.record(Marble::Fail);
        self.seen.lock().error = Some(error);
    }

    fn on_complete(self) {
        self.record(Marble::Complete);
    }
}

/// Reads a drawing.
#[track_caller]
fn parse(drawing: &str) -> Vec<(u32, Marble)> {
    let mut signals = Vec::new();
    let mut tick = 0;
    // Where the group that is being read began, and how many signals came before it.
    let mut group = None;
    let mut letters = drawing.chars().enumerate();
    while let Some((at, letter)) = letters.next() {
        let marble = match letter {
            ' ' => continue,
            '-' if group.is_some() => misdrawn(drawing, at, "`-` in a group, which is one tick"),
            '-' => None,
            '(' if group.is_some() => misdrawn(drawing, at, "`(` in a group"),
            '(' => {
                group = Some((at, signals.len()));
                continue;
            }
            ')' => match group.take() {
                None => misdrawn(drawing, at, "`)` without a `(`"),
                Some((_, n_before)) if n_before == signals.len() => {
                    misdrawn(drawing, at, "a group of no signals")
                }
                Some(_) => None,
            },
            '|' => Some(Marble::Complete),
            '#' => Some(Marble::Fail),
            '[' => {
                let mut is_closed = false;
                let inside = letters.by_ref().map(|(_, letter)| letter).take_while(|letter| {
                    is_closed = *letter == ']';
                    !is_closed
                });
                let item: String = inside.collect();
                if !is_closed {
                    misdrawn(drawing, at, "`[` without a `]`");
                }
                Some(Marble::Item(item))
            }
            ']' => misdrawn(drawing, at, "`]` without a `[`"),
            item => Some(Marble::Item(item.to_string())),
        };
        if let Some(marble) = marble {
            if matches!(signals.last(), Some((_, Marble::Complete | Marble::Fail))) {
                misdrawn(drawing, at, "a signal after the end");
            }
            signals.push((tick, marble));
        }
        if group.is_none() {
            tick += 1;
        }
    }
    if let Some((at, _)) = group {
        misdrawn(drawing, at, "`(` without a `)`");
    }
    signals
}

/// Points at the letter number `at` of a drawing that cannot be read.
#[track_caller]
fn misdrawn(drawing: &str, at: usize, what: &str) -> ! {
    panic!("{what}:\n  {drawing}\n  {}^", " ".repeat(at));
}

/// Draws signals.
fn draw(signals: &[(u32, Marble)]) -> String {
    let mut drawing = String::new();
    let mut tick = 0;
    for group in signals.chunk_by(|(one, _), (other, _)| one == other) {
        let at = group[0].0;
        drawing.extend((tick..at).map(|_| '-'));
        tick = at + 1;
        let texts = group.iter().map(|(_, marble)| match marble {
            Marble::Complete => "|".to_owned(),
            Marble::Fail => "#".to_owned(),
            Marble::Item(item) if item.chars().count() == 1 && !item.contains(SIGNS) => {
                item.clone()
            }
            Marble::Item(item) => format!("[{item}]"),
        });
        let text: String = texts.collect();
        if group.len() == 1 { drawing.push_str(&text) } else { drawing += &format!("({text})") }
    }
    drawing
}
