//! What a peer does and what we do, side by side.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures::{
    FutureExt, Stream, StreamExt,
    channel::oneshot::{Receiver, Sender, channel},
    future, stream,
};
use millstream::{Order, from_iter, range, scheduler::VirtualTime};
use millstream_testkit::Probe;

const N: usize = 3;

/// Three jobs that each wait for a reply, and a consumer that is busy after the first.
struct Office {
    replies: Vec<Sender<()>>,
    /// The jobs that got past their replies, in order.
    done: Arc<Mutex<Vec<usize>>>,
    free: Option<Sender<()>>,
    consumer: Pin<Box<dyn Future<Output = usize>>>,
}

impl Office {
    /// `run` has the jobs run at once, as a stream of their outputs.
    fn new<S: Stream + 'static>(run: impl FnOnce(Jobs) -> S) -> Self {
        let (replies, waiting): (Vec<_>, Vec<_>) = (0..N).map(|_| channel()).unzip();
        let done = Arc::default();
        let jobs = Jobs { waiting: Arc::new(Mutex::new(waiting)), done: Arc::clone(&done) };
        let mut outputs = Box::pin(run(jobs));
        let (free, busy) = channel::<()>();
        let consumer = Box::pin(async move {
            let mut busy = Some(busy);
            let mut n_outputs = 0;
            while outputs.next().await.is_some() {
                n_outputs += 1;
                if let Some(busy) = busy.take() {
                    busy.await.unwrap();
                }
            }
            n_outputs
        });
        Self { replies, done, free: Some(free), consumer }
    }

    fn reply(&mut self) {
        self.replies.remove(0).send(()).unwrap();
    }

    /// Polls the consumer, whether or not it was woken: it has every chance that it could have.
    fn poll(&mut self) -> Poll<usize> {
        let mut poll = || self.consumer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        (0..9).map(|_| poll()).find(Poll::is_ready).unwrap_or(Poll::Pending)
    }

    fn done(&self) -> Vec<usize> {
        self.done.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Jobs {
    waiting: Arc<Mutex<Vec<Receiver<()>>>>,
    done: Arc<Mutex<Vec<usize>>>,
}

impl Jobs {
    fn start(&self, n: usize) -> impl Future<Output = ()> + Send + use<> {
        let reply = self.waiting.lock().unwrap().remove(0);
        let done = Arc::clone(&self.done);
        async move {
            reply.await.unwrap();
            done.lock().unwrap().push(n);
        }
    }
}

/// The jobs of `buffered` are polled by their consumer alone: they stand still while it is busy.
#[test]
fn buffered_futures_stall_while_their_consumer_awaits_something_else() {
    let run = |jobs: Jobs| stream::iter(0..N).map(move |n| jobs.start(n));
    for mut office in [
        Office::new(|jobs| run(jobs).buffered(N)),
        Office::new(|jobs| run(jobs).buffer_unordered(N)),
    ] {
        assert_eq!(office.poll(), Poll::Pending);
        office.reply();
        assert_eq!(office.poll(), Poll::Pending);
        assert_eq!(office.done(), [0]);

        (1..N).for_each(|_| office.reply());
        assert_eq!(office.poll(), Poll::Pending);

        assert_eq!(office.done(), [0], "the others have their replies and do not know");
        office.free.take().unwrap().send(()).unwrap();
        assert_eq!(office.poll(), Poll::Ready(N));
        assert_eq!(office.done(), [0, 1, 2]);
    }
}

/// The jobs of `map_async` have a task of their own, whatever the consumer does.
#[test]
fn map_async_goes_on_while_its_consumer_awaits_something_else() {
    for order in [Order::Source, Order::Completion] {
        let clock = VirtualTime::new();
        let mut office = Office::new(|jobs| {
            range(0..N).map_async_on(&clock, N, order, move |n| jobs.start(n)).into_stream(1)
        });
        assert_eq!(office.poll(), Poll::Pending);
        clock.run();
        office.reply();
        clock.run();
        assert_eq!(office.poll(), Poll::Pending);
        assert_eq!(office.done(), [0]);

        (1..N).for_each(|_| office.reply());
        clock.run();

        assert_eq!(office.done(), [0, 1, 2], "the consumer is still busy with the first");
        office.free.take().unwrap().send(()).unwrap();
        while office.poll().is_pending() {
            assert_ne!(clock.run(), 0, "nothing is left to do, and the consumer waits");
        }
    }
}

/// How many of the first items come from each of several flows that never stop.
fn shares<const N: usize>(items: impl Iterator<Item = usize>) -> [usize; N] {
    let mut shares = [0; N];
    items.take(64 * N).for_each(|flow| shares[flow] += 1);
    shares
}

/// A chain of `select`s gives half to the stream that was added last, and a quarter to the one
/// before.
#[test]
fn streams_that_are_merged_in_a_chain_get_less_and_less() {
    let endless = |n| stream::repeat(n).boxed();
    let chain = (1..6).fold(endless(0), |chain, n| stream::select(chain, endless(n)).boxed());

    let shares: [usize; 6] = shares(futures::executor::block_on_stream(chain));

    assert!(shares[5] >= 16 * shares[0], "{shares:?}");
}

#[test]
fn flows_that_are_merged_get_the_same() {
    let flows = (0..6).map(|n| range(0_u64..).map(move |_| n));

    let shares: [usize; 6] =
        shares(millstream::merge(flows).into_iter_blocking(16).map(Result::unwrap));

    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(most - least <= 8, "{shares:?}");
}

/// Futures that each wait for a word, and count how often they are polled.
fn crowd(n: usize) -> (Vec<Sender<()>>, Arc<AtomicUsize>, Vec<Waiting>) {
    let n_polls = Arc::new(AtomicUsize::new(0));
    let (words, futures) = (0..n)
        .map(|_| {
            let (word, mut waits) = channel();
            let n_polls = Arc::clone(&n_polls);
            let waiting: Waiting = Box::pin(poll_fn(move |context| {
                n_polls.fetch_add(1, Ordering::Relaxed);
                Pin::new(&mut waits).poll(context).map(Result::unwrap)
            }));
            (word, waiting)
        })
        .unzip();
    (words, n_polls, futures)
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whoever looks at all futures for the one that is ready polls each of them each time.
#[test]
fn futures_that_are_selected_from_are_polled_for_one_another() {
    let (words, n_polls, mut waiting) = crowd(100);

    for word in words.into_iter().rev() {
        word.send(()).unwrap();
        let mut next = future::select_all(waiting);
        let Poll::Ready((.., others)) = next.poll_unpin(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("one is ready");
        };
        waiting = others;
    }

    assert_eq!(n_polls.load(Ordering::Relaxed), 100 * 101 / 2);
}

#[test]
fn futures_of_map_async_are_polled_when_they_are_woken() {
    for order in [Order::Source, Order::Completion] {
        let clock = VirtualTime::new();
        let (words, n_polls, waiting) = crowd(100);
        let done = from_iter(waiting).map_async_on(&clock, 100, order, |waiting| waiting);
        let probe = Probe::subscribe_to(done);
        probe.request(100);
        clock.run();
        assert_eq!(n_polls.load(Ordering::Relaxed), 100);

        for word in words.into_iter().rev() {
            word.send(()).unwrap();
            clock.run();
        }

        assert!(probe.is_completed());
        assert_eq!(n_polls.load(Ordering::Relaxed), 2 * 100);
    }
}
