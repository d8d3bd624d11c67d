//! Demand in marbles: what is drawn, what is seen, and what cannot be read.

use std::time::Duration;

use millstream_testkit::marbles::check_demand;

use crate::panic_of;

#[test]
fn requests_pass_and_items_wait_for_them() {
    check_demand("123|", "1--2", |source, _| source, "1--(23|)", "1--2");
    check_demand("-1-2-3|", "*", |source, _| source, "-1-2-3|", "*");
    check_demand("-1-2-3|", "-[10]", |source, _| source, "-1-2-3|", "-[10]");
    check_demand("-1-2-3|", "", |source, _| source, "", "");
    check_demand("-1-2-3|", "(11)--!", |source, _| source, "-1", "(11)--!");
    check_demand("|", "", |source, _| source, "|", "");
}

#[test]
fn operators_that_ask_by_themselves_are_seen_to() {
    check_demand(
        "12345678|",
        "-3",
        |source, clock| source.publish_on(clock).capacity(4),
        "-(12)3",
        "-43",
    );
    check_demand("1-2-3-|", "*", |source, _| source.take(2), "1-(2|)", "2");
    check_demand("1-2-3-|", "1-----1", |source, _| source.skip(2), "----3-|", "1-----1");
    check_demand(
        "-----1|",
        "1",
        |source, clock| source.timeout(clock, Duration::from_millis(3)),
        "---#",
        "[32]--!",
    );
}

#[test]
fn a_difference_is_shown_with_all_drawings() {
    let text = panic_of(|| check_demand("12|", "1-!", |source, _| source, "1", "2-!"));

    let all = "of the source   2-!\nsaw             1-!\nout of it       1\nsaw             1";
    assert_eq!(text, all);
}

#[test]
fn what_is_no_request_is_pointed_at() {
    for (drawing, sign, at) in [("1-a", "a", 2), ("1--|", "|", 3), ("[x]", "x", 1), ("#", "#", 0)] {
        let text = panic_of(|| check_demand("", drawing, |source, _| source, "", ""));

        let what = format!("`{sign}` is no request: use a number, `*` or `!`");
        assert_eq!(text, format!("{what}:\n  {drawing}\n  {}^", " ".repeat(at)));
    }
}
