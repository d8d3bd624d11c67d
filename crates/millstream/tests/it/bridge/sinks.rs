//! Sinks and streams of futures.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt, stream::FusedStream};
use millstream::{Demand, Error, ErrorKind, Flow, error, from_iter, range};
use millstream_testkit::Puppet;

use super::{poll_once, runtime, settle};

/// A sink that the test opens and breaks, and that holds what it was given until it is flushed.
#[derive(Clone, Default)]
struct Office(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    /// How many items may be started.
    room: usize,
    open: Vec<u32>,
    written: Vec<u32>,
    is_closed: bool,
    is_broken: bool,
    waker: Option<Waker>,
}

impl Office {
    fn change(&self, change: impl FnOnce(&mut Desk)) {
        let waker = {
            let mut desk = self.0.lock().unwrap();
            change(&mut desk);
            desk.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn written(&self) -> Vec<u32> {
        self.0.lock().unwrap().written.clone()
    }
}

impl Sink<u32> for Office {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut desk = self.0.lock().unwrap();
        if desk.is_broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        desk.waker = Some(cx.waker().clone());
        if desk.room > 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn start_send(self: Pin<&mut Self>, item: u32) -> io::Result<()> {
        let mut desk = self.0.lock().unwrap();
        assert!(desk.room > 0, "the sink was not ready");
        desk.room -= 1;
        desk.open.push(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut desk = self.0.lock().unwrap();
        if desk.is_broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        desk.waker = Some(cx.waker().clone());
        let open = std::mem::take(&mut desk.open);
        desk.written.extend(open);
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.as_ref().get_ref().clone().poll_flush_unpin(cx))?;
        self.0.lock().unwrap().is_closed = true;
        Poll::Ready(Ok(()))
    }
}

impl Office {
    fn poll_flush_unpin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_flush(cx)
    }
}

#[test]
fn an_item_is_asked_for_when_the_sink_is_ready_and_flushed_when_none_comes() {
    runtime().block_on(async {
        let office = Office::default();
        let (puppet, publisher) = Puppet::new();
        let done = Flow::from(publisher).forward_into(office.clone());
        settle().await;
        assert_eq!(puppet.demand(), Demand::ZERO);

        office.change(|desk| desk.room = 2);
        settle().await;
        assert_eq!(puppet.demand(), Demand::new(1));
        puppet.next(1).unwrap();
        settle().await;
        assert_eq!(office.written(), [1], "no item stays behind in the sink's buffer");
        puppet.next(2).unwrap();
        settle().await;
        assert_eq!((puppet.demand(), office.written().len()), (Demand::ZERO, 1));
        puppet.complete();

        done.await.unwrap();
        assert_eq!(office.written(), [1, 2]);
        assert!(office.0.lock().unwrap().is_closed);
    });
}

#[test]
fn a_sink_that_fails_cancels_the_flow() {
    runtime().block_on(async {
        let office = Office::default();
        let (puppet, publisher) = Puppet::new();
        let done = Flow::from(publisher).forward_into(office.clone());
        office.change(|desk| desk.room = 1);
        settle().await;

        office.change(|desk| desk.is_broken = true);

        let error = done.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.downcast_ref::<io::Error>().is_some());
        assert!(puppet.is_canceled());
    });
}

#[test]
fn a_flow_that_fails_leaves_the_sink_flushed_and_not_closed() {
    let office = Office::default();
    office.change(|desk| desk.room = 9);
    let failing = from_iter([1, 2]).concat(error(Error::message("no")));

    let failed = failing.forward_into(office.clone()).wait().unwrap_err();

    assert_eq!(failed.to_string(), "no");
    assert_eq!(office.written(), [1, 2]);
    assert!(!office.0.lock().unwrap().is_closed);
}

#[test]
fn a_stream_of_a_flow_asks_for_its_capacity_at_the_first_poll_and_no_more() {
    let (puppet, publisher) = Puppet::new();
    let mut stream = Flow::from(publisher).into_stream(4);
    assert_eq!((puppet.requested(), stream.size_hint()), (Demand::ZERO, (0, None)));

    assert!(poll_once(stream.next()).is_pending());
    assert_eq!(puppet.requested(), Demand::new(4));
    (0..4).for_each(|n| puppet.next(n).unwrap());
    assert_eq!(puppet.next(9), Err(9));
    assert_eq!(stream.next().now_or_never().flatten().unwrap().unwrap(), 0);
}

#[test]
fn a_stream_of_a_flow_wakes_the_task_that_polled_last() {
    struct Count(Mutex<usize>);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let counts = [Arc::new(Count(Mutex::new(0))), Arc::new(Count(Mutex::new(0)))];
    let (puppet, publisher) = Puppet::new();
    let mut stream = Flow::from(publisher).into_stream(1);
    for count in &counts {
        let waker = Waker::from(Arc::clone(count));
        assert!(stream.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
    }

    puppet.next(1).unwrap();

    assert_eq!(counts.map(|count| *count.0.lock().unwrap()), [0, 1]);
    assert_eq!(stream.next().now_or_never().flatten().unwrap().unwrap(), 1);
}

#[test]
fn a_stream_of_a_flow_is_fused_and_cancels_when_dropped() {
    let mut stream = range(0..1).into_stream(2);
    assert!(!stream.is_terminated());
    assert_eq!(stream.next().now_or_never().flatten().unwrap().unwrap(), 0);
    for _ in 0..3 {
        assert!(stream.next().now_or_never().unwrap().is_none());
        assert!(stream.is_terminated());
        assert_eq!(stream.size_hint(), (0, Some(0)));
    }
    let mut failed = error::<u8>(Error::message("no")).into_stream(2);
    assert!(failed.next().now_or_never().flatten().unwrap().is_err());
    assert!(failed.next().now_or_never().unwrap().is_none());

    let (puppet, publisher) = Puppet::<u8>::new();
    drop(Flow::from(publisher).into_stream(1));

    assert!(puppet.is_canceled());
}

#[test]
fn a_sink_whose_flow_is_gone_takes_no_item() {
    let mut cx = Context::from_waker(Waker::noop());
    let kind = |result: Poll<Result<(), Error>>| match result {
        Poll::Ready(Err(error)) => Some(error.kind()),
        _ => None,
    };

    // One that is gone before the first item, though there are places.
    let (mut sink, flow) = millstream::bridge::sink::<u32>(4);
    drop(flow);
    assert_eq!(kind(sink.poll_ready_unpin(&mut cx)), Some(ErrorKind::Disconnected));

    // One that goes between the look for a place and the item.
    let (mut sink, flow) = millstream::bridge::sink(4);
    assert!(sink.poll_ready_unpin(&mut cx).is_ready());
    drop(flow);
    assert_eq!(sink.start_send_unpin(1).unwrap_err().kind(), ErrorKind::Disconnected);

    // One that goes while an item waits: the item is lost, and the sink says so.
    for close in [false, true] {
        let (mut sink, flow) = millstream::bridge::sink(4);
        assert!(sink.poll_ready_unpin(&mut cx).is_ready());
        sink.start_send_unpin(1).unwrap();
        assert_eq!(kind(sink.poll_flush_unpin(&mut cx)), None);
        drop(flow);
        let done =
            if close { sink.poll_close_unpin(&mut cx) } else { sink.poll_flush_unpin(&mut cx) };
        assert_eq!(kind(done), Some(ErrorKind::Disconnected));
    }

    // One that has had all items is done, and loses none.
    let (mut sink, flow) = millstream::bridge::sink(4);
    assert!(sink.poll_ready_unpin(&mut cx).is_ready());
    sink.start_send_unpin(1).unwrap();
    assert_eq!(flow.take(1).count().wait().unwrap(), 1);
    assert_eq!(kind(sink.poll_close_unpin(&mut cx)), None);
}
