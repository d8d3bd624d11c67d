//! Which public types are `Send`, `Sync`, `Unpin`, `UnwindSafe`, `Clone` and `Debug`: of this
//! crate, of the contract, the kernel and the test kit.
//!
//! The tables are checked by the compiler, both ways: a type that loses a trait is named, and so is
//! one that gains it. Nothing is left to run.

use std::{
    cell::Cell,
    fmt::Debug,
    future::Ready,
    io,
    marker::{PhantomData, PhantomPinned},
    panic::UnwindSafe,
    rc::Rc,
    sync::Arc,
    vec::IntoIter,
};

use futures::stream;
use millstream::{
    BoxClonePublisher, BoxPublisher, BoxSubscriber, Cache, Concat, ConcatMap, Defer, Demand,
    Enumerate, Error, ErrorKind, Failed, Filter, FilterMap, FlatMapIter, FlattenResults, Flow,
    FromFn, FromIter, FromStream, Generate, Group, GroupBy, GroupPolicy, Inspect, InspectDemand,
    IntoStream, LimitRate, Lines, Map, MapAsync, Never, Offer, OnErrorResume, OnErrorReturn, Once,
    Order, Outcome, Overflow, PublishOn, Range, Registry, Repeat, Replayed, Retry, Scan, Share,
    Sharing, Skip, SkipWhile, Stage, Stalls, SubscribeOn, Subscription, Take, TakeWhile, Window,
    Windows,
    bridge::{FlowSink, Heard, IntoIterBlocking, OnLag, ReadChunks, Received, Watched},
    hub::{
        Broadcaster, Closed, Merge, Multicast, MulticastProcessor, MulticastPublisher,
        MulticastSubscriber, Partitioner, Permit, Policy, Producer, QueueProcessor, QueuePublisher,
        QueueSubscriber, Replay, SendError, Sender, SenderPermit, Sent, SignalOn, TrySendError,
        Unheard, Unicast,
    },
    scheduler::{Ambient, CurrentThread, Immediate, Pool, Tokio, VirtualTime, Worker},
};
use millstream_kernel::{
    Accumulator, Acquire, AcquireError, Arbiter, BatchRelease, Cap, Capacity,
    Closed as SemaphoreClosed, Deferred, End, Entered, Fed, Gate, Gauge, Gauges, Handler, Inline,
    Inside, InvalidCapacity, Job, Left, Listener, Pending, Permit as SemaphorePermit, Prefetch,
    ReadySet, Semaphore, Serial, Slot, Step, TaskWaker, TryAcquireError, Upstream, Voice,
    broadcast::{self, Broadcast, Delivery, Mailbox, Member, WhenFull},
    mpsc, oneshot, spsc,
};
use millstream_testkit::{
    Probe, ProbeSubscriber, Puppet, PuppetPublisher, Record, Signal, marbles::Marbles,
};
use reactive_streams::rules::{Ensured, Level, Rule};

/// What is `Send` and not `Sync`, as an item or as what a closure captures.
type Unshared = Cell<u64>;
/// What is neither.
type Local = Rc<u64>;
/// Closures.
type Make = fn(u64) -> u64;
type Test = fn(&u64) -> bool;
type Unfold = fn(&mut u64) -> Result<Option<u64>, Error>;

/// A handler of messages that does nothing with them.
struct Idle;

impl Handler for Idle {
    type Message = u64;

    fn handle(&mut self, _: u64) {}
}

/// What a type has: these constants hide those of [`Hasnt`] where their bound holds.
struct Has<T>(PhantomData<T>);

impl<T: Send> Has<T> {
    const SEND: bool = true;
}

impl<T: Sync> Has<T> {
    const SYNC: bool = true;
}

impl<T: Unpin> Has<T> {
    const UNPIN: bool = true;
}

impl<T: UnwindSafe> Has<T> {
    const UNWIND_SAFE: bool = true;
}

impl<T: Clone> Has<T> {
    const CLONE: bool = true;
}

impl<T: Debug> Has<T> {
    const DEBUG: bool = true;
}

trait Hasnt {
    const SEND: bool = false;
    const SYNC: bool = false;
    const UNPIN: bool = false;
    const UNWIND_SAFE: bool = false;
    const CLONE: bool = false;
    const DEBUG: bool = false;
}

impl<T> Hasnt for Has<T> {}

/// One row a type, one sign a trait: `+` if the type has it, `-` if it has not.
macro_rules! table {
    ($($type:ty | $send:tt $sync:tt $unpin:tt $unwind_safe:tt $clone:tt $debug:tt;)*) => {$(
        table!(@ $type, $send SEND "Send");
        table!(@ $type, $sync SYNC "Sync");
        table!(@ $type, $unpin UNPIN "Unpin");
        table!(@ $type, $unwind_safe UNWIND_SAFE "UnwindSafe");
        table!(@ $type, $clone CLONE "Clone");
        table!(@ $type, $debug DEBUG "Debug");
    )*};
    (@ $type:ty, + $has:ident $name:literal) => {
        const _: () = assert!(
            Has::<$type>::$has,
            concat!("`", stringify!($type), "` should be `", $name, "`"),
        );
    };
    (@ $type:ty, - $has:ident $name:literal) => {
        const _: () = assert!(
            !Has::<$type>::$has,
            concat!("`", stringify!($type), "` is `", $name, "`: say so in the table"),
        );
    };
}

// Flows, and what runs them.
table! {
    //                               Send Sync Unpin UnwindSafe Clone Debug
    Flow<Range<u64>>               | +    +    +     +          +     +;
    Flow<BoxPublisher<u64>>        | +    -    +     -          -     +;
    Flow<BoxClonePublisher<u64>>   | +    -    +     -          +     +;
    Flow<PhantomPinned>            | +    +    -     +          +     +;
    Outcome<u64>                   | +    +    +     -          -     +;
    Outcome<Unshared>              | +    +    +     -          -     +;
    Outcome<Local>                 | -    -    +     -          -     +;
    IntoStream<u64>                | +    +    +     -          -     +;
    IntoStream<Unshared>           | +    +    +     -          -     +;
}

// Sources.
table! {
    //                               Send Sync Unpin UnwindSafe Clone Debug
    Defer<Make>                    | +    +    +     +          +     +;
    Failed<u64>                    | +    +    +     -          +     +;
    Failed<Local>                  | +    +    +     -          +     +;
    FromFn<Make>                   | +    +    +     +          +     +;
    FromIter<IntoIter<u64>>        | +    +    +     +          +     +;
    FromIter<IntoIter<Unshared>>   | +    -    +     +          +     +;
    FromIter<IntoIter<Local>>      | -    -    +     +          +     +;
    FromStream<stream::Empty<u64>> | +    +    +     -          +     +;
    FromStream<Once<Ready<u64>>>   | +    +    +     -          -     +;
    Generate<u64, Unfold>          | +    +    +     +          +     +;
    Lines<io::Empty, String>       | +    +    +     -          -     +;
    Never<u64>                     | +    +    +     +          +     +;
    Never<Local>                   | +    +    +     +          +     +;
    Range<u64>                     | +    +    +     +          +     +;
}

// Operators.
table! {
    //                                Send Sync Unpin UnwindSafe Clone Debug
    Concat<Range<u64>, Range<u64>>  | +    +    +     +          +     +;
    ConcatMap<Range<u64>, Make>     | +    +    +     +          +     +;
    Enumerate<Range<u64>>           | +    +    +     +          +     +;
    Filter<Range<u64>, Test>        | +    +    +     +          +     +;
    FilterMap<Range<u64>, Make>     | +    +    +     +          +     +;
    FlatMapIter<Range<u64>, Make>   | +    +    +     +          +     +;
    FlattenResults<Range<u64>>      | +    +    +     +          +     +;
    Group<u64, Unshared>            | +    +    +     -          -     +;
    Group<Local, u64>               | -    -    +     -          -     +;
    GroupBy<Range<u64>, Test>       | +    +    +     +          +     +;
    GroupPolicy                     | +    +    +     +          +     +;
    Inspect<Range<u64>, Make>       | +    +    +     +          +     +;
    InspectDemand<Range<u64>>       | +    +    +     -          +     +;
    LimitRate<Range<u64>>           | +    +    +     +          +     +;
    Map<Range<u64>, Make>           | +    +    +     +          +     +;
    Map<Range<u64>, Unshared>       | +    -    +     +          +     +;
    Map<BoxPublisher<u64>, Make>    | +    -    +     -          -     +;
    MapAsync<Range<u64>, Make>      | +    +    +     -          +     +;
    OnErrorResume<Range<u64>, Make> | +    +    +     +          +     +;
    OnErrorReturn<Range<u64>, Make> | +    +    +     +          +     +;
    PublishOn<Range<u64>>           | +    +    +     -          +     +;
    Repeat<Range<u64>>              | +    +    +     +          +     +;
    Retry<Range<u64>>               | +    +    +     +          +     +;
    Scan<Range<u64>, u64, Make>     | +    +    +     +          +     +;
    Cache<Range<u64>>               | +    +    +     -          +     +;
    Replayed<Range<u64>>            | +    +    +     -          +     +;
    Share<Range<u64>>               | +    +    +     -          +     +;
    Sharing                         | +    +    +     -          +     +;
    Skip<Range<u64>>                | +    +    +     +          +     +;
    SkipWhile<Range<u64>, Test>     | +    +    +     +          +     +;
    SubscribeOn<Range<u64>>         | +    +    +     -          +     +;
    Take<Range<u64>>                | +    +    +     +          +     +;
    TakeWhile<Range<u64>, Test>     | +    +    +     +          +     +;
    Window<Unshared>                | +    +    +     -          -     +;
    Windows<Range<u64>>             | +    +    +     -          +     +;
    Order                           | +    +    +     +          +     +;
    Registry                        | +    +    +     -          +     +;
    Stage                           | +    +    +     +          +     +;
    Stalls                          | +    +    +     -          -     +;
}

// Bridges.
table! {
    //                                Send Sync Unpin UnwindSafe Clone Debug
    IntoIterBlocking<u64>           | +    +    +     -          -     +;
    IntoIterBlocking<Unshared>      | +    +    +     -          -     +;
    FlowSink<u64>                   | +    +    +     -          -     +;
    FlowSink<Unshared>              | +    +    +     -          -     +;
    ReadChunks<io::Empty>           | +    +    +     +          +     +;
    Received<u64>                   | +    +    +     +          -     +;
    Heard<u64, OnLag>               | +    -    +     -          -     +;
    Watched<u64>                    | +    -    +     -          -     +;
    FromStream<Received<Unshared>>  | +    +    +     -          -     +;
}

// Hubs.
table! {
    //                        Send Sync Unpin UnwindSafe Clone Debug
    Producer<Unshared>        | +    +    +     -          -     +;
    Permit<'_, Unshared>      | +    +    +     -          -     +;
    Unicast<Unshared>         | +    +    +     -          -     +;
    Sender<Unshared>          | +    +    +     -          +     +;
    SenderPermit<'_, Unshared>| +    +    +     -          -     +;
    Merge<Unshared>           | +    -    +     -          -     +;
    SignalOn<Unicast<Unshared>>| +   +    +     -          -     +;
    SignalOn<Merge<Unshared>> | +    -    +     -          -     +;
    QueueProcessor<Unshared>  | +    +    +     -          -     +;
    QueueSubscriber<Unshared> | +    +    +     -          -     +;
    QueuePublisher<Unshared>  | +    +    +     -          -     +;
    Partitioner<Unshared, Make>| +   +    +     -          -     +;
    Broadcaster<Unshared>     | +    -    +     -          -     +;
    Multicast<Unshared>       | +    +    +     -          +     +;
    MulticastProcessor<Unshared>| +  -    +     -          -     +;
    MulticastSubscriber<Unshared>| + -    +     -          -     +;
    MulticastPublisher<Unshared>| +  +    +     -          +     +;
    Replay                    | +    +    +     -          +     +;
    Policy                    | +    +    +     +          +     +;
    Overflow                  | +    +    +     +          +     +;
    Unheard                   | +    +    +     +          +     +;
    Sent                      | +    +    +     +          +     +;
    TrySendError<u64>         | +    +    +     +          +     +;
    SendError<u64>            | +    +    +     +          +     +;
    Closed                    | +    +    +     +          +     +;
}

// Schedulers.
table! {
    //                               Send Sync Unpin UnwindSafe Clone Debug
    Ambient                        | +    +    +     -          +     +;
    CurrentThread                  | +    +    +     -          +     +;
    Immediate                      | +    +    +     +          +     +;
    Pool                           | +    +    +     -          +     +;
    Tokio                          | +    +    +     +          +     +;
    VirtualTime                    | +    +    +     +          +     +;
    Worker                         | +    +    +     -          +     +;
}

// The contract.
table! {
    //                               Send Sync Unpin UnwindSafe Clone Debug
    BoxClonePublisher<u64>         | +    -    +     -          +     +;
    BoxPublisher<u64>              | +    -    +     -          -     +;
    BoxSubscriber<u64>             | +    -    +     -          -     +;
    BoxSubscriber<Local>           | +    -    +     -          -     +;
    Demand                         | +    +    +     +          +     +;
    Ensured                        | +    +    +     +          +     +;
    Error                          | +    +    +     -          +     +;
    ErrorKind                      | +    +    +     +          +     +;
    Level                          | +    +    +     +          +     +;
    Offer                          | +    +    +     +          +     +;
    Rule                           | +    +    +     +          +     +;
    Arc<dyn Subscription>          | +    +    +     -          +     -;
}

// The test kit.
table! {
    //                        Send Sync Unpin UnwindSafe Clone Debug
    Probe<Unshared>           | +    +    +     -          +     +;
    ProbeSubscriber<Unshared> | +    +    +     -          -     +;
    Puppet<Unshared>          | +    +    +     -          +     +;
    PuppetPublisher<Unshared> | +    +    +     -          -     +;
    Marbles                   | +    +    +     +          +     +;
    Record<u64>               | +    +    +     -          +     +;
    Signal<u64>               | +    +    +     -          +     +;
}

// The parts of the kernel.
table! {
    //                                     Send Sync Unpin UnwindSafe Clone Debug
    Accumulator<u64>                     | +    +    +     +          -     +;
    Arbiter                              | +    +    +     -          -     +;
    Voice                                | +    +    +     -          -     +;
    Inside                               | +    +    +     +          +     +;
    Cap                                  | +    +    +     -          -     +;
    Deferred                             | +    +    +     -          -     +;
    End                                  | +    +    +     -          +     +;
    Acquire<'_>                          | +    +    +     -          -     +;
    AcquireError                         | +    +    +     +          +     +;
    BatchRelease                         | +    +    +     -          -     +;
    SemaphoreClosed<'_>                  | +    +    +     -          -     +;
    Fed                                  | +    +    +     -          -     +;
    Gauge                                | +    +    +     +          -     +;
    Gauges                               | +    +    +     +          -     +;
    Gate<Never<u64>, BoxSubscriber<u64>> | +    +    +     -          -     +;
    Inline                               | +    +    +     +          +     +;
    Job                                  | +    +    +     -          -     +;
    Mailbox<Unshared>                    | +    +    +     -          -     +;
    Member<Unshared>                     | +    +    +     -          +     +;
    Broadcast<Unshared>                  | +    +    +     -          -     +;
    broadcast::Sender<Unshared>          | +    -    +     -          -     +;
    Delivery                             | +    +    +     +          +     +;
    broadcast::SendError<u64>            | +    +    +     +          -     +;
    WhenFull                             | +    +    +     +          +     +;
    Listener                             | +    +    +     -          -     +;
    Pending                              | +    +    +     +          -     +;
    Prefetch                             | +    +    +     +          +     +;
    Capacity                             | +    +    +     +          +     +;
    InvalidCapacity                      | +    +    +     +          +     +;
    ReadySet                             | +    +    +     +          -     +;
    Semaphore                            | +    +    +     +          -     +;
    SemaphorePermit<'_>                  | +    +    +     -          -     +;
    TryAcquireError                      | +    +    +     +          +     +;
    Serial<Idle>                         | +    +    +     +          -     +;
    millstream_kernel::Sharing<u64>      | +    +    +     +          -     +;
    Entered<u64>                         | +    +    +     +          -     +;
    Left                                 | +    +    +     +          +     +;
    Slot<u64>                            | +    +    +     +          -     +;
    Slot<Unshared>                       | +    +    +     +          -     +;
    Slot<Local>                          | -    -    +     +          -     +;
    Step<u64>                            | +    +    +     -          -     +;
    TaskWaker                            | +    +    +     +          -     +;
    Upstream                             | +    +    +     -          -     +;
    mpsc::Sender<u64>                    | +    +    +     -          +     +;
    mpsc::Sender<Unshared>               | +    +    +     -          +     +;
    mpsc::Sender<Local>                  | -    -    +     -          +     +;
    mpsc::Receiver<u64>                  | +    +    +     -          -     +;
    mpsc::Receiver<Unshared>             | +    +    +     -          -     +;
    mpsc::Receiver<Local>                | -    -    +     -          -     +;
    mpsc::GrowingSender<u64>             | +    +    +     +          +     +;
    mpsc::GrowingSender<Unshared>        | +    +    +     +          +     +;
    mpsc::GrowingSender<Local>           | -    -    +     +          +     +;
    mpsc::GrowingReceiver<u64>           | +    +    +     -          -     +;
    mpsc::GrowingReceiver<Unshared>      | +    +    +     -          -     +;
    mpsc::GrowingReceiver<Local>         | -    -    +     -          -     +;
    spsc::Producer<u64>                  | +    +    +     -          -     +;
    spsc::Producer<Unshared>             | +    +    +     -          -     +;
    spsc::Producer<Local>                | -    -    +     -          -     +;
    spsc::Consumer<u64>                  | +    +    +     -          -     +;
    spsc::Consumer<Unshared>             | +    +    +     -          -     +;
    spsc::Consumer<Local>                | -    -    +     -          -     +;
    spsc::GrowingProducer<u64>           | +    -    +     -          -     +;
    spsc::GrowingProducer<Unshared>      | +    -    +     -          -     +;
    spsc::GrowingProducer<Local>         | -    -    +     -          -     +;
    spsc::GrowingConsumer<u64>           | +    -    +     -          -     +;
    spsc::GrowingConsumer<Unshared>      | +    -    +     -          -     +;
    spsc::GrowingConsumer<Local>         | -    -    +     -          -     +;
    spsc::PushError<u64>                 | +    +    +     +          +     +;
    spsc::Pop<u64>                       | +    +    +     -          -     +;
    oneshot::Sender<u64>                 | +    +    +     -          -     +;
    oneshot::Sender<Unshared>            | +    +    +     -          -     +;
    oneshot::Sender<Local>               | -    -    +     -          -     +;
    oneshot::Receiver<u64>               | +    +    +     -          -     +;
    oneshot::Receiver<Unshared>          | +    +    +     -          -     +;
    oneshot::Receiver<Local>             | -    -    +     -          -     +;
}
