//! Bugs that others had, as questions to us: the book's page "Bugs we do not repeat" says whose.

use std::{
    future::poll_fn,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::channel::oneshot;
use millstream::{
    Flow, Order, from_iter, from_stream_on, merge, never, range,
    scheduler::{Pool, Tokio, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

const TIME: Duration = Duration::from_secs(1);

/// Items that count how many of them are alive.
fn alive(n: u64) -> (Arc<()>, Vec<Arc<()>>) {
    let token = Arc::new(());
    let items = (0..n).map(|_| Arc::clone(&token)).collect();
    (token, items)
}

#[test]
fn a_queue_whose_turn_has_not_come_is_emptied_by_a_cancel() {
    let clock = VirtualTime::new();
    let (token, items) = alive(3);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).publish_on(&clock).capacity(4));
    probe.request(4);
    clock.run();
    items.into_iter().for_each(|item| puppet.next(item).unwrap());

    probe.cancel();

    assert!(puppet.is_canceled() && probe.is_dropped());
    puppet.drop_subscriber();
    assert_eq!(Arc::strong_count(&token), 1);
    clock.run();
    assert_eq!(probe.n_items(), 0);
}

/// Whichever comes first, what waits is dropped, and the other finds nothing to do.
#[test]
fn a_timeout_and_a_cancel_that_meet_leave_nothing() {
    for is_timeout_first in [true, false] {
        let clock = VirtualTime::new();
        let (token, mut items) = alive(3);
        let (puppet, publisher) = Puppet::new();
        let (late, fallback) = Puppet::new();
        let flow = Flow::from(publisher).timeout_with(&clock, TIME, fallback);
        let probe = Probe::subscribe_to(flow);
        probe.request(1);
        puppet.next(items.pop().unwrap()).unwrap();
        if is_timeout_first {
            probe.request(1);
            clock.advance(TIME);
            assert!(puppet.is_canceled());
        }
        // On their way: of the first flow, and of the one in its place.
        assert!(puppet.force_next(items.pop().unwrap()).is_ok());
        assert_eq!(late.force_next(items.pop().unwrap()).is_ok(), is_timeout_first);

        probe.cancel();
        clock.advance(TIME);

        let n_items = if is_timeout_first { 2 } else { 1 };
        assert_eq!((probe.n_items(), probe.is_ended(), probe.is_dropped()), (n_items, false, true));
        puppet.drop_subscriber();
        late.drop_subscriber();
        assert!(puppet.is_canceled() && late.is_canceled() == is_timeout_first);
        // The probe has what came.
        assert_eq!(Arc::strong_count(&token), 1 + n_items);
    }
}

/// A future that is not ready wakes itself each time; what it waits for is done by another task of
/// the same thread.
#[test]
fn a_future_that_wakes_itself_lets_other_tasks_run() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let is_set = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_set);
    let waits = move |_| {
        let (flag, mut n_polls) = (Arc::clone(&flag), 0_u64);
        poll_fn(move |context| {
            n_polls += 1;
            assert!(n_polls < 1_000_000, "nobody else came to run");
            if flag.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    };

    let n_done = runtime.block_on(async {
        let tokio = Tokio::try_current().unwrap();
        let done = range(0..3_u8).map_async_on(&tokio, 3, Order::Completion, waits).count();
        let setting = tokio::spawn(async move { is_set.store(true, Ordering::Relaxed) });
        setting.await.unwrap();
        done.await.unwrap()
    });

    assert_eq!(n_done, 3);
}

/// Tokio's budget runs out in the midst of the futures; those that come after it are not polled
/// over and over.
#[test]
fn futures_that_find_no_budget_are_polled_a_few_times_each() {
    const N: usize = 1_000;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let n_polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&n_polls);
    let works = move |_| {
        let n_polls = Arc::clone(&counted);
        let mut work = Box::pin(async {
            for _ in 0..4 {
                tokio::task::consume_budget().await;
            }
        });
        poll_fn(move |context| {
            n_polls.fetch_add(1, Ordering::Relaxed);
            work.as_mut().poll(context)
        })
    };

    let n_done = runtime.block_on(async {
        let tokio = Tokio::try_current().unwrap();
        range(0..N).map_async_on(&tokio, N, Order::Completion, works).count().await.unwrap()
    });

    assert_eq!(n_done, N as u64);
    let n_polls = n_polls.load(Ordering::Relaxed);
    assert!(n_polls < 4 * N, "{n_polls} polls of {N} futures");
}

#[test]
fn of_many_streams_the_one_that_has_an_item_is_polled() {
    const N: usize = 100;
    let clock = VirtualTime::new();
    let n_polls = Arc::new(AtomicUsize::new(0));
    let (words, flows): (Vec<_>, Vec<_>) = (0..N)
        .map(|n| {
            let (word, mut waits) = oneshot::channel::<()>();
            let n_polls = Arc::clone(&n_polls);
            let stream = futures::stream::poll_fn(move |context| {
                n_polls.fetch_add(1, Ordering::Relaxed);
                let waits = std::pin::Pin::new(&mut waits);
                waits.poll(context).map(|word| word.ok().map(|()| n))
            });
            (word, from_stream_on(&clock, futures::StreamExt::take(stream, 1)))
        })
        .unzip();
    let probe = Probe::subscribe_to(merge(flows));
    probe.request(u64::MAX);
    clock.run();
    n_polls.store(0, Ordering::Relaxed);

    for word in words {
        word.send(()).unwrap();
        clock.run();
    }

    assert_eq!(probe.items(), (0..N).collect::<Vec<_>>());
    assert_eq!(n_polls.load(Ordering::Relaxed), N, "one poll for each item");
}

#[test]
fn flows_with_workers_of_their_own_run_at_the_same_time() {
    let pool = Pool::new(2);
    let both = Arc::new(Barrier::new(2));
    let meets = range(0..2_u8)
        .flat_map(move |n| {
            let both = Arc::clone(&both);
            range(n..=n).publish_on(&pool).capacity(1).inspect(move |_| {
                both.wait();
            })
        })
        .concurrency(2)
        .prefetch(1);

    assert_eq!(meets.count().wait().unwrap(), 2);
}

/// A downstream that panics in the midst of items leaves the source canceled, and another one of
/// the same flow is served.
#[test]
fn a_subscriber_that_panics_spoils_nothing_for_the_next() {
    let (token, items) = alive(3);
    let flow = from_iter(items).limit_rate(2);
    let served = flow.clone().count();
    let panicked = flow.inspect(|_| panic!("bang")).count();

    assert!(panicked.wait().is_err());
    assert_eq!(served.wait().unwrap(), 3);
    assert_eq!(Arc::strong_count(&token), 1);
}

/// Requests and a cancel from inside `on_next`, on operators that hold a queue: none of them is
/// entered again, and none waits for itself.
#[test]
fn calls_that_come_back_from_inside_an_item_do_not_lock_up() {
    let clock = VirtualTime::new();
    for (index, flow) in [
        range(0..9_u64).limit_rate(2).boxed(),
        range(0..9).flat_map(|n| range(n..=n)).concurrency(2).prefetch(1).boxed(),
        range(0..9).concat_map(|n| range(n..=n)).boxed(),
        range(0..9).concat(never()).take_until(never::<()>()).boxed(),
        range(0..9).publish_on(&clock).capacity(2).boxed(),
        range(0..9).share(2).boxed(),
        range(0..9).retry(1).repeat(2).boxed(),
    ]
    .into_iter()
    .enumerate()
    {
        let (probe, subscriber) = Probe::new();
        probe.request_in_on_subscribe(1).request_in_on_next(1).cancel_at(5);

        flow.subscribe(subscriber);
        clock.run();

        assert_eq!((probe.n_items(), probe.is_dropped()), (5, true), "{index}");
    }
}
