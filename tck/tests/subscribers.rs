//! The macros: one named test per check.

#[path = "subjects/subscribers.rs"]
mod subjects;

use reactive_streams_tck::{
    ProcessorCapabilities, Subject, SubscriberCapabilities, processor_tests, subscriber_tests,
};
use subjects::{Collector, Pass};

subscriber_tests!(collector, |probe| Collector::new(Some(probe), u64::MAX));
subscriber_tests!(
    first_three,
    |probe| Collector::new(Some(probe), 3),
    SubscriberCapabilities::new().takes(3)
);
subscriber_tests!(unobserved, black_box: || Collector::new(None, u64::MAX));
subscriber_tests!(
    first_three_unobserved,
    black_box: || Collector::new(None, 3),
    SubscriberCapabilities::new().takes(3)
);
subscriber_tests!(made, subject: |name: &str| {
    Subject::black_box_of(name, SubscriberCapabilities::new(), || Collector::new(None, u64::MAX))
});

processor_tests!(pass, |_| Pass);
processor_tests!(pass_as_declared, |_| Pass, ProcessorCapabilities::new().depth(1));
