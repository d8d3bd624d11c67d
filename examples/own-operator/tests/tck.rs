//! `every_nth` under all that can be asked of an operator: the TCK as a publisher and on what it
//! does with its source, chaos, leaks, and a model.

use millstream::range;
use millstream_testkit::stage_tests;
use own_operator::FlowExt as _;

stage_tests!(every_nth, |source, _| source.every_nth(3), |items| {
    items.iter().skip(2).step_by(3).cloned().collect()
});

#[test]
#[should_panic(expected = "there is no 0th item")]
fn every_0th_item_is_refused() {
    let _flow = range(0..3).every_nth(0);
}

#[test]
fn it_holds_nothing() {
    let flow = millstream::assert_bounded(range(0..3).every_nth(2));
    assert_eq!(millstream::Backpressure::max_in_flight(&flow), 0);
}
