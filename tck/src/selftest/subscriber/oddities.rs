//! Subscribers that are unusual and right: none of them may be flagged.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use reactive_streams::{Error, Offer, Subscriber, Subscription};

use super::{Flaw, Pending, black, white, worker};
use crate::{
    BlackBoxSubject, Drive, Puppet, Subject, SubscriberCapabilities, SubscriberProbe,
    SubscriberSubject, play::clock, selftest::Oddity, sync::lock,
};

/// When an odd subscriber requests and cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// As many as there are, at once.
    Unbounded,
    /// As many as there are, and then it forgets the subscription.
    UnboundedAndForgets,
    /// One by one, however many it is told to.
    OneByOne,
    /// Two hundred, each with a request of its own.
    ManySmall,
    /// Nothing: it cancels at once.
    CancelsAtOnce,
    /// One, but it cancels twice after the third item.
    CancelsTwice,
    /// One, and it answers the third item with `Finished`.
    Finishes,
    /// It skips every second item that is offered.
    Skips,
    /// Only when it is poked from outside.
    WhenPoked,
    /// One by one, and it takes 5 ms for each.
    Slow,
}

struct Odd {
    habit: Habit,
    probe: Option<SubscriberProbe<u64>>,
    has_one: bool,
    kept: Option<Arc<dyn Subscription>>,
    seen: u64,
}

/// Requests one item after the other, from whatever thread it is told on.
struct Steps(Arc<dyn Subscription>);

impl Puppet for Steps {
    fn trigger_request(&self, n: u64) {
        (0..n).for_each(|_| self.0.request(1));
    }

    fn signal_cancel(&self) {
        self.0.cancel();
    }
}

impl Odd {
    fn new(habit: Habit, probe: Option<SubscriberProbe<u64>>) -> Self {
        Self { habit, probe, has_one: false, kept: None, seen: 0 }
    }

    fn with(&self, body: impl FnOnce(&Arc<dyn Subscription>)) {
        if let Some(subscription) = &self.kept {
            body(subscription);
        }
    }
}

impl Subscriber<u64> for Odd {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if std::mem::replace(&mut self.has_one, true) {
            return subscription.cancel();
        }
        if self.habit != Habit::UnboundedAndForgets {
            self.kept = Some(Arc::clone(&subscription));
        }
        match (&self.probe, self.habit) {
            (Some(probe), Habit::OneByOne | Habit::Slow) => {
                probe.on_subscribe(Steps(Arc::clone(&subscription)))
            }
            (Some(probe), _) => probe.on_subscribe(Arc::clone(&subscription)),
            (None, _) => {}
        }
        match self.habit {
            Habit::Unbounded | Habit::UnboundedAndForgets => subscription.request(u64::MAX),
            Habit::ManySmall => (0..200).for_each(|_| subscription.request(1)),
            Habit::CancelsAtOnce => subscription.cancel(),
            Habit::WhenPoked => {}
            _ if self.probe.is_none() => subscription.request(1),
            _ => {}
        }
    }

    fn on_next(&mut self, item: u64) {
        self.seen += 1;
        if self.habit == Habit::Slow {
            clock::pause(Duration::from_millis(5));
        }
        if let Some(probe) = &self.probe {
            probe.on_next(&item);
        }
        match self.habit {
            Habit::CancelsTwice | Habit::Finishes if self.seen == 3 => self.with(|subscription| {
                subscription.cancel();
                subscription.cancel();
            }),
            Habit::CancelsTwice | Habit::Finishes if self.seen > 3 => {}
            Habit::OneByOne
            | Habit::CancelsTwice
            | Habit::Finishes
            | Habit::Skips
            | Habit::Slow
                if self.probe.is_none() =>
            {
                self.with(|subscription| subscription.request(1));
            }
            _ => {}
        }
    }

    fn offer(&mut self, item: u64) -> Offer {
        match self.habit {
            Habit::Skips if item.is_multiple_of(2) => Offer::Skipped,
            Habit::Finishes if self.seen == 2 => {
                self.seen = 3;
                Offer::Finished
            }
            _ => {
                self.on_next(item);
                Offer::Accepted
            }
        }
    }

    fn on_error(self, error: Error) {
        if let Some(probe) = &self.probe {
            probe.on_error(&error);
        }
    }

    fn on_complete(self) {
        if let Some(probe) = &self.probe {
            probe.on_complete();
        }
    }
}

/// Makes subscribers that request only when they are poked.
struct Poked;

impl BlackBoxSubject for Poked {
    type Item = u64;
    type Subscriber = Odd;

    fn create_subscriber(&self) -> Odd {
        Odd::new(Habit::WhenPoked, None)
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn trigger_request(&self, subscriber: &mut Odd, n: u64) {
        subscriber.with(|subscription| subscription.request(n));
    }
}

/// Makes subscribers whose puppets act when the pending work is driven.
struct Late(Pending);

/// Keeps what it is told for later.
struct LatePuppet(Arc<dyn Subscription>, Pending);

impl Puppet for LatePuppet {
    fn trigger_request(&self, n: u64) {
        let subscription = Arc::clone(&self.0);
        lock(&self.1).push(Box::new(move || subscription.request(n)));
    }

    fn signal_cancel(&self) {
        let subscription = Arc::clone(&self.0);
        lock(&self.1).push(Box::new(move || subscription.cancel()));
    }
}

/// An odd subscriber with another puppet.
struct WithLatePuppet(Odd, Pending);

impl Subscriber<u64> for WithLatePuppet {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if let (false, Some(probe)) = (self.0.has_one, &self.0.probe) {
            // The first puppet is the one that counts.
            probe.on_subscribe(LatePuppet(Arc::clone(&subscription), Pending::clone(&self.1)));
            self.0.kept = Some(subscription);
            self.0.has_one = true;
        } else {
            subscription.cancel();
        }
    }

    fn on_next(&mut self, item: u64) {
        self.0.on_next(item);
    }

    fn on_error(self, error: Error) {
        self.0.on_error(error);
    }

    fn on_complete(self) {
        self.0.on_complete();
    }
}

impl SubscriberSubject for Late {
    type Item = u64;

    fn create_subscriber(&self, probe: SubscriberProbe<u64>) -> impl Subscriber<u64> {
        WithLatePuppet(Odd::new(Habit::OneByOne, Some(probe)), Pending::clone(&self.0))
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn drive(&self) -> Option<Drive> {
        let pending = Pending::clone(&self.0);
        Some(Box::new(move || worker::drive(&pending)))
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        SubscriberCapabilities::new().asynchronous()
    }
}

/// A subscriber that does everything on a thread of its own.
struct Posting {
    probe: Option<SubscriberProbe<u64>>,
    post: Option<mpsc::Sender<Letter>>,
}

/// What the thread is told.
enum Letter {
    Request(u64),
    Cancel,
    Item(u64),
    Failed(Error),
    Completed,
}

struct PostingPuppet(mpsc::Sender<Letter>);

impl Puppet for PostingPuppet {
    fn trigger_request(&self, n: u64) {
        let _gone = self.0.send(Letter::Request(n));
    }

    fn signal_cancel(&self) {
        let _gone = self.0.send(Letter::Cancel);
    }
}

impl Posting {
    fn send(&self, letter: Letter) {
        if let Some(post) = &self.post {
            let _gone = post.send(letter);
        }
    }
}

impl Subscriber<u64> for Posting {
    #[expect(clippy::disallowed_methods, reason = "the subject is a thread")]
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let Some(probe) = self.probe.take() else { return subscription.cancel() };
        let (post, letters) = mpsc::channel();
        self.post = Some(post.clone());
        std::thread::spawn(move || {
            probe.on_subscribe(PostingPuppet(post));
            for letter in letters {
                match letter {
                    Letter::Request(n) => subscription.request(n),
                    Letter::Cancel => subscription.cancel(),
                    Letter::Item(item) => probe.on_next(&item),
                    Letter::Failed(error) => return probe.on_error(&error),
                    Letter::Completed => return probe.on_complete(),
                }
            }
        });
    }

    fn on_next(&mut self, item: u64) {
        self.send(Letter::Item(item));
    }

    fn on_error(self, error: Error) {
        self.send(Letter::Failed(error));
    }

    fn on_complete(self) {
        self.send(Letter::Completed);
    }
}

const PLAIN: SubscriberCapabilities = SubscriberCapabilities::new();

/// Takes long for an item, and says how many of them are worth the time.
const SLOW: SubscriberCapabilities =
    PLAIN.max_length(40).budget(Duration::from_secs(30)).deadline(Duration::from_secs(2));

/// A subscriber that takes 5 ms for each item, and does not say how many are worth the time.
#[must_use]
pub fn slow() -> Subject {
    odd_black(Habit::Slow, PLAIN.deadline(Duration::from_millis(500)))
}

fn odd(habit: Habit, capabilities: SubscriberCapabilities) -> Subject {
    Subject::subscriber_of("odd", capabilities, move |probe| Odd::new(habit, Some(probe)))
}

fn odd_black(habit: Habit, capabilities: SubscriberCapabilities) -> Subject {
    Subject::black_box_of("odd", capabilities, move || Odd::new(habit, None))
}

fn posting() -> Subject {
    let create = |probe| Posting { probe: Some(probe), post: None };
    Subject::subscriber_of("odd", PLAIN.asynchronous(), create)
}

/// What subscribers may do although it is unusual.
#[rustfmt::skip]
pub static ODDITIES: &[Oddity] = &[
    Oddity { what: "answers `initial_request`", subject: || white(Flaw::AsksAhead) },
    Oddity { what: "answers `initial_request`, as a black box", subject: || black(Flaw::AsksAhead) },
    Oddity { what: "requests what it is told to", subject: || white(Flaw::None) },
    Oddity { what: "requests by itself, one item after the other", subject: || black(Flaw::None) },
    Oddity { what: "requests one by one whatever it is told", subject: || odd(Habit::OneByOne, PLAIN) },
    Oddity { what: "requests without bound", subject: || odd(Habit::Unbounded, PLAIN) },
    Oddity { what: "requests without bound, unobserved", subject: || odd_black(Habit::Unbounded, PLAIN) },
    Oddity { what: "requests without bound and lets go of the subscription", subject: || odd_black(Habit::UnboundedAndForgets, PLAIN) },
    Oddity { what: "makes 200 small requests", subject: || odd(Habit::ManySmall, PLAIN) },
    Oddity { what: "makes 200 small requests, unobserved", subject: || odd_black(Habit::ManySmall, PLAIN) },
    Oddity { what: "cancels at once", subject: || odd(Habit::CancelsAtOnce, PLAIN) },
    Oddity { what: "cancels at once, as declared", subject: || odd_black(Habit::CancelsAtOnce, PLAIN.takes(0)) },
    Oddity { what: "cancels twice", subject: || odd(Habit::CancelsTwice, PLAIN.takes(3)) },
    Oddity { what: "cancels twice, unobserved", subject: || odd_black(Habit::CancelsTwice, PLAIN.takes(3)) },
    Oddity { what: "finishes by its answer", subject: || odd(Habit::Finishes, PLAIN.takes(3)) },
    Oddity { what: "skips what it is offered", subject: || odd(Habit::Skips, PLAIN) },
    Oddity { what: "requests only when it is poked", subject: || Subject::black_box("odd", Poked) },
    Oddity { what: "requests late", subject: || Subject::subscriber("odd", Late(Pending::default())) },
    Oddity { what: "works and requests on a thread of its own", subject: posting },
    Oddity { what: "takes 5 ms for each item", subject: || odd(Habit::Slow, SLOW) },
    Oddity { what: "takes 5 ms for each item, unobserved", subject: || odd_black(Habit::Slow, SLOW) },
];
