//! Operators that look on under the TCK.

use millstream::{Listener, Registry, range};
use reactive_streams_tck::publisher_tests;

publisher_tests!(inspect, |n| range(0..n).inspect(|_| {}));
publisher_tests!(listen, |n| {
    range(0..n).listen(Listener::new().on_request(|_| {}).on_cancel(|| {}))
});
publisher_tests!(do_finally, |n| range(0..n).do_finally(|_| {}));
publisher_tests!(checkpoint, |n| range(0..n).checkpoint("here"));
#[cfg(feature = "tracing")]
publisher_tests!(log, |n| range(0..n).log("numbers"));
#[cfg(feature = "tracing")]
publisher_tests!(instrument, |n| range(0..n).instrument(tracing::Span::none()));
publisher_tests!(inspect_demand, |n| range(0..n).inspect_demand("here", &Registry::new()));
