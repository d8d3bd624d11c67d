//! What a refusal costs: no allocation, and nothing of the body.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Empty;
use millstream::scheduler::VirtualTime;
use millstream_http::Admission;
use millstream_pressure::{
    Algorithm, Breaker, BreakerConfig, ConcurrencyLimit, KeyedRate, KeyedRateConfig, LimitConfig,
    Queue, QueueConfig, RetrySpread, RetrySpreadConfig,
};
use tower::{Layer as _, Service as _, service_fn};

/// Counts what the test's own thread allocates.
struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator, unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A body that nobody is to read.
struct Untouched;

impl Body for Untouched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("the body of a request that is refused was read")
    }
}

/// How many allocations a request costs that is refused, by status and reason.
fn refuse(admission: Admission, status: StatusCode, reason: &str) -> usize {
    let serve =
        |_: Request<Untouched>| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) };
    let mut service = admission.layer().layer(service_fn(serve));
    let mut n = usize::MAX;
    // The first one of a thread sets up what is random.
    for _ in 0..3 {
        let request = Request::post("/").header("host", "localhost").header("x-api-key", "alice");
        let request = request.body(Untouched).unwrap();
        let before = N_ALLOCATIONS.get();
        let response = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        n = N_ALLOCATIONS.get() - before;
        let Poll::Ready(Ok(response)) = response else { panic!("it is refused at once") };
        assert_eq!(response.status(), status);
        assert!(response.headers().contains_key("retry-after"));
        let mut body = pin!(response.into_body());
        let frame = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Some(Ok(frame))) = frame else { panic!("it says why") };
        assert_eq!(frame.into_data().unwrap(), reason);
    }
    n
}

#[test]
fn a_refusal_allocates_nothing_and_reads_no_body() {
    let time = VirtualTime::new();
    let spread = RetrySpread::new("test", RetrySpreadConfig::default(), &time).unwrap();
    let admission = || Admission::new(&spread);

    let config = KeyedRateConfig { rate: 1e-2, burst: 1, ..KeyedRateConfig::default() };
    let rates = KeyedRate::new("test", config, &time).unwrap();
    rates.try_acquire(&"alice", 1).unwrap();
    let by_rate = admission().rate(&rates, |_| Some("alice"));
    assert_eq!(refuse(by_rate, StatusCode::TOO_MANY_REQUESTS, "rate"), 0);

    let breaker = Breaker::new("test", BreakerConfig::default(), &time).unwrap();
    breaker.open_for(std::time::Duration::from_secs(5));
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(refuse(admission().breaker(&breaker), unavailable, "breaker_open"), 0);

    let config = LimitConfig { algorithm: Algorithm::Fixed(1), ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("test", config, &time).unwrap();
    let _held = limit.try_acquire().unwrap();
    assert_eq!(refuse(admission().limit(&limit), unavailable, "limit"), 0);

    let config = QueueConfig { capacity: 1, ..QueueConfig::default() };
    let queue: Queue<u32> = Queue::new("test", config, &time).unwrap();
    let _place = queue.try_reserve().unwrap();
    assert_eq!(refuse(admission().queue(&queue), unavailable, "full"), 0);
}
