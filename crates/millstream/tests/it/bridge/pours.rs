//! Sinks that feed a flow.

use futures::{FutureExt, SinkExt};
use millstream::{Error, ErrorKind, bridge::sink, range};
use millstream_testkit::Probe;

use super::{poll_once, runtime, settle};

#[test]
fn a_sink_is_ready_while_fewer_items_wait_than_its_capacity() {
    runtime().block_on(async {
        let (mut sink, flow) = sink(2);
        let probe = Probe::subscribe_to(flow);
        settle().await;
        for n in 0..2 {
            assert!(poll_once(sink.feed(n)).is_ready());
        }
        assert!(poll_once(sink.feed(9)).is_pending());

        let waiting = async {
            sink.feed(2).await.unwrap();
            sink.close().await.unwrap();
        };
        let asking = async {
            settle().await;
            assert_eq!(probe.n_items(), 0);
            probe.request(1);
            settle().await;
            probe.request(9);
        };
        futures::join!(waiting, asking);
        settle().await;

        assert_eq!(probe.items(), [0, 1, 2]);
        assert!(probe.is_completed());
    });
}

#[test]
fn a_sink_that_fails_or_is_dropped_fails_the_flow_after_its_items() {
    for is_dropped in [false, true] {
        let (mut sink, flow) = sink(2);
        sink.feed(1).now_or_never().unwrap().unwrap();
        if is_dropped {
            drop(sink);
        } else {
            sink.fail(Error::new(ErrorKind::Timeout, "late"));
        }
        let probe = Probe::subscribe_to(flow);
        probe.request(2);
        probe.wait_until_ended();

        assert_eq!(probe.items(), [1]);
        let kind = if is_dropped { ErrorKind::Disconnected } else { ErrorKind::Timeout };
        assert_eq!(probe.error().unwrap().kind(), kind);
    }
}

#[test]
fn a_flow_that_is_canceled_wakes_and_fails_the_sink() {
    runtime().block_on(async {
        let (mut sink, flow) = sink(1);
        let probe = Probe::subscribe_to(flow);
        sink.feed(1).await.unwrap();
        let waiting = tokio::spawn(async move { sink.feed(2).await });
        settle().await;

        probe.cancel();

        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::Disconnected);
    });
}

#[test]
fn a_sink_that_is_closed_takes_nothing_more() {
    let (mut sink, _flow) = sink(2);
    sink.close().now_or_never().unwrap().unwrap();

    let error = sink.feed(1).now_or_never().unwrap().unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Disconnected);
}

#[test]
fn a_flow_goes_through_a_sink_into_a_flow() {
    for capacity in [1, 2, 7] {
        let (sink, flow) = sink(capacity);
        let done = range(0..10_000).forward_into(sink);

        assert!(flow.collect::<Vec<_>>().wait().unwrap().into_iter().eq(0..10_000));
        done.wait().unwrap();
    }
}
