//! What a peer does and what we do, side by side.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use futures::{
    Stream, StreamExt,
    channel::oneshot::{Receiver, Sender, channel},
    stream,
};
use millstream::{Order, range, scheduler::VirtualTime};

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
