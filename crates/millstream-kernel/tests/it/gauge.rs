//! What passes a place, asked by one thread.

use millstream_kernel::Gauge;

#[test]
fn requests_saturate() {
    let gauge = Gauge::new();
    gauge.request(u64::MAX - 1);
    gauge.request(5);
    gauge.deliver();

    assert_eq!((gauge.read().requested, gauge.read().outstanding()), (u64::MAX, u64::MAX));
}
