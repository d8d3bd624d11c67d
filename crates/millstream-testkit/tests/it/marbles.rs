//! Marbles: each sign, and what is said about drawings that differ or cannot be read.

use millstream::{Error, just, scheduler::Immediate};
use millstream_testkit::marbles::{check, check_in_time};

use crate::panic_of;

#[test]
fn each_item_has_its_tick_and_so_has_each_end() {
    for drawing in ["1", "12", "-1--2-3", "|", "-|", "#", "--#", "1|", "12#", "--1--2--|", ""] {
        check(drawing, |source| source, drawing);
    }
}

#[test]
fn time_that_passes_after_the_last_signal_is_not_compared() {
    check("1----", |source| source, "1");
    check("1", |source| source, "1-------");
    check("----", |source| source, "");
}

#[test]
fn signals_of_a_group_share_a_tick() {
    check("-(123)-4-(5|)", |source| source, "-(123)-4-(5|)");
    check("(1)(2)#", |source| source, "12#");
    check("-1-2-|", |source| source.concat_map(|item| just(item).repeat(2)), "-(11)-(22)-|");
}

#[test]
fn blanks_take_no_time() {
    check(" -1 - (2 3) |", |source| source, "-1-(23)|");
}

#[test]
fn an_item_may_have_several_letters_or_none_or_look_like_a_sign() {
    check("-1--2|", |source| source.map(|item| format!("{item} x")), "-[1 x]--[2 x]|");
    check("-1-|", |source| source.map(|_| ""), "-[]-|");
    check("[-][|][1](2[ ])", |source| source, "[-][|]1(2[ ])");
}

#[test]
fn each_subscription_starts_its_own_time() {
    check("-1#", |source| source.retry(1), "-1-1#");
    check("-1|", |source| source.repeat(3), "-1-1-1|");
}

#[test]
fn the_clock_of_the_drawing_is_there_for_operators() {
    check_in_time("-1-2|", |source, clock| source.publish_on(clock).capacity(1), "-1-2|");
    check_in_time(
        "-1-2|",
        |source, clock| {
            let clock = clock.clone();
            source.map(move |_| clock.now().as_millis())
        },
        "-1-3|",
    );
}

#[test]
fn a_difference_is_shown_as_two_drawings() {
    let text = panic_of(|| check("-1-2|", |source| source.take(1), "-1-(2|)"));

    assert_eq!(text, "expected -1-(2|)\nbut saw  -(1|)");
}

#[test]
fn differences_in_time_and_in_the_end_are_seen() {
    for (source, expected) in [
        ("-1", "--1"),
        ("1|", "(1|)"),
        ("12", "21"),
        ("1|", "1"),
        ("1", "1|"),
        ("|", "#"),
        ("", "1"),
    ] {
        let text = panic_of(|| check(source, |source| source, expected));

        assert_eq!(text.lines().next(), Some(format!("expected {expected}").as_str()));
        assert!(text.contains(&format!("but saw  {source}")), "{text}");
    }
}

#[test]
fn items_that_differ_look_different() {
    let text = panic_of(|| check("1-|", |source| source.map(|_| "-|"), "-|"));
    assert_eq!(text, "expected -|\nbut saw  [-|]-|");

    let text = panic_of(|| check("1|", |source| source.map(|_| '-'), "-|"));
    assert_eq!(text, "expected -|\nbut saw  [-]|");
}

#[test]
fn a_failure_that_was_not_expected_is_named() {
    let text = panic_of(|| {
        let failing = |_| millstream::error::<char>(Error::message("disk on fire"));
        check("--1--|", |source| source.concat_map(failing), "--1--|");
    });

    assert_eq!(text, "expected --1--|\nbut saw  --#\nit failed: disk on fire");
}

#[test]
fn a_drawing_that_cannot_be_read_is_pointed_at() {
    for (drawing, what, at) in [
        ("--(1-2)", "`-` in a group, which is one tick", 4),
        ("(1(2))", "`(` in a group", 2),
        ("--1)", "`)` without a `(`", 3),
        ("-(12", "`(` without a `)`", 1),
        ("-()-", "a group of no signals", 2),
        ("1-[23", "`[` without a `]`", 2),
        ("1-23]", "`]` without a `[`", 4),
        ("-|-1", "a signal after the end", 3),
        ("(#|)", "a signal after the end", 2),
    ] {
        let pointed = format!("{what}:\n  {drawing}\n  {}^", " ".repeat(at));

        assert_eq!(panic_of(|| check(drawing, |source| source, "")), pointed);
        assert_eq!(panic_of(|| check("", |source| source, drawing)), pointed);
    }
}

#[test]
fn a_source_has_single_letters() {
    for item in ["12", ""] {
        let drawing = format!("-1[{item}]");

        let text = panic_of(|| check(&drawing, |source| source, "-1"));

        assert_eq!(
            text,
            format!("`[{item}]` is no single letter in the source `-1[{item}]`: map one")
        );
    }
}

#[test]
fn panics_blame_the_line_of_the_check() {
    use std::{panic, sync::Mutex};

    static LINES: Mutex<Vec<(String, u32)>> = Mutex::new(Vec::new());
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let Some(location) = info.location() {
            LINES.lock().unwrap().push((location.file().to_owned(), location.line()));
        }
        before(info);
    }));

    let line = line!() + 1;
    panic_of(|| check("1", |source| source.publish_on(&Immediate).capacity(1), "2"));
    panic_of(|| check("(", |source| source, "2"));

    drop(panic::take_hook());
    let lines = LINES.lock().unwrap();
    for line in [line, line + 1] {
        assert!(lines.iter().any(|(file, at)| file == file!() && *at == line), "{lines:?}");
    }
}
