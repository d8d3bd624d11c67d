//! Flows that a task polls.

use std::{future::poll_fn, pin::Pin};

use futures_core::Stream;
use shuttle::future::block_on;

use crate::support::{Item, Tally, Thread, explore};

async fn next<St>(stream: &mut St) -> Option<Item>
where
    St: Stream<Item = Result<Item, millstream::Error>> + Unpin,
{
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await.map(|item| item.unwrap())
}

/// A task polls what another thread pushes.
///
/// Kills: in `waker.rs`, `wake` does nothing.
#[test]
fn a_stream_gives_everything_in_order() {
    explore(&[vec![0, 1, 2, 3, 4]], || {
        let (tally, producer) = (Tally::default(), Thread::start());
        let mut stream = tally.numbers(0, 5).subscribe_on(&producer).into_stream(2);

        let mut numbers = Vec::new();
        block_on(async {
            while let Some(item) = next(&mut stream).await {
                numbers.push(item.number);
            }
        });

        drop(stream);
        producer.stop();
        tally.check();
        numbers
    });
}

/// A stream that is dropped stops its source, and what waited in its queue is dropped.
///
/// Kills: in `spsc/bounded.rs`, the ring's drop does nothing.
#[test]
fn a_stream_that_is_dropped_leaves_nothing() {
    explore(&[0, 1], || {
        let (tally, producer) = (Tally::default(), Thread::start());
        let mut stream = tally.numbers(0, 5).subscribe_on(&producer).into_stream(3);

        let first = block_on(next(&mut stream)).map(|item| item.number);
        let second = block_on(async {
            // Once, without waiting.
            let poll = |cx: &mut std::task::Context<'_>| {
                std::task::Poll::Ready(Pin::new(&mut stream).poll_next(cx).is_ready())
            };
            poll_fn(poll).await
        });
        drop(stream);

        producer.stop();
        tally.check();
        assert_eq!(first, Some(0));
        u64::from(second)
    });
}
