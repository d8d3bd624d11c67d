//! The processor under the TCK, on both sides: as a processor, and its operator as publisher and
//! subscriber.

use std::sync::LazyLock;

use millstream::{from_iter, scheduler::Pool};
use millstream_spill::{
    Config, Durability, FlowExt as _, Spill, SpillProcessor, codec::U64, storage::Simulated,
};
use reactive_streams_tck::{Capabilities, ProcessorCapabilities, processor_tests, publisher_tests};

fn disk() -> &'static Pool {
    static DISK: LazyLock<Pool> = LazyLock::new(|| Pool::named("disk", 1));
    &DISK
}

fn processor(memory: usize) -> SpillProcessor<U64> {
    let durability = Durability::Process;
    let config =
        Config { segment_bytes: 1 << 16, max_bytes: 1 << 24, durability, ..Config::default() };
    Spill::on(Simulated::new()).config(config).processor(U64, memory, disk()).expect("it is new")
}

processor_tests!(
    through_memory,
    |_: usize| processor(200_000),
    ProcessorCapabilities::new().asynchronous().unbounded().delays_errors()
);
processor_tests!(
    through_little_memory,
    |_: usize| processor(2),
    ProcessorCapabilities::new().asynchronous().unbounded().delays_errors()
);
processor_tests!(
    through_the_disk_alone,
    |_: usize| processor(0),
    ProcessorCapabilities::new().asynchronous().unbounded().delays_errors()
);

publisher_tests!(
    spill,
    |n| from_iter(0..n).spill(processor(4)),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    spill_to_disk,
    |n| from_iter(0..n).spill(processor(0)),
    Capabilities::new().asynchronous()
);
