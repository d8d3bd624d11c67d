//! Operators that look on under the TCK.

use millstream::{Listener, Registry, defer_contextual, range};
use reactive_streams_tck::publisher_tests;

publisher_tests!(inspect, |n| range(0..n).inspect(|_| {}));
publisher_tests!(listen, |n| {
    range(0..n).listen(Listener::new().on_request(|_| {}).on_cancel(|| {}))
});
publisher_tests!(do_finally, |n| range(0..n).do_finally(|_| {}));
publisher_tests!(context_write, |n| range(0..n).context_write(|context| context.with(1_u8)));
publisher_tests!(defer_contextual, |n| defer_contextual(move |_| range(0..n)));
publisher_tests!(through_contextual, |n| range(0..n).through_contextual(|flow, _| flow.skip(0)));
publisher_tests!(with_context, |n| {
    let pairs = range(0..n).with_context(|n| (n, n)).filter(|_| true).map(|n| n).buffer(1);
    pairs.flat_map_iter(|group| group).into_flow().map(|(n, _)| n)
});
publisher_tests!(checkpoint, |n| range(0..n).checkpoint("here"));
#[cfg(feature = "tracing")]
publisher_tests!(log, |n| range(0..n).log("numbers"));
#[cfg(feature = "tracing")]
publisher_tests!(instrument, |n| range(0..n).instrument(tracing::Span::none()));
publisher_tests!(inspect_demand, |n| range(0..n).inspect_demand("here", &Registry::new()));
