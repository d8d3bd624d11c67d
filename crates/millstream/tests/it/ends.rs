//! Completion, failure, and sources one after the other.

use std::io::{self, BufReader, Read};

use millstream::{
    Error, ErrorKind, Flow, byte_lines, concat_all, empty, error, from_iter, generate, just, lines,
    lines_of, range,
};
use millstream_testkit::{Probe, Puppet};

#[test]
fn a_source_that_is_empty_completes_without_a_request() {
    let probe = Probe::subscribe_to(empty::<u8>().map(|n| n).concat(empty()).repeat(3));

    assert!(probe.is_completed());
}

#[test]
fn take_completes_with_its_last_item_and_at_once_if_there_is_none() {
    let none = Probe::subscribe_to(range(0..9).take(0));
    let two = Probe::subscribe_to(range(0..9).take(2));
    two.request(2);

    assert!(none.is_completed() && two.is_completed());
    assert_eq!(two.items(), [0, 1]);
}

#[test]
fn errors_do_not_overtake_items() {
    let flow = from_iter([1, 2, 3]).concat(error(Error::message("late"))).limit_rate(8);
    let probe = Probe::subscribe_to(flow);

    probe.request(2);
    assert!(probe.error().is_none());
    probe.request(1);

    assert_eq!(probe.items(), [1, 2, 3]);
    assert_eq!(probe.error().unwrap().to_string(), "late");
}

#[test]
fn an_empty_source_is_repeated_a_million_times_in_constant_stack() {
    assert_eq!(empty::<u8>().repeat(1_000_000).count().wait().unwrap(), 0);
}

#[test]
fn a_hundred_thousand_sources_follow_each_other_in_constant_stack() {
    let flows = range(0..100_000).concat_map(just);
    assert_eq!(flows.count().wait().unwrap(), 100_000);
    let flows = concat_all(
        (0..100_000).map(|n| if n % 2 == 0 { just(n).boxed() } else { empty().boxed() }),
    );
    assert_eq!(flows.count().wait().unwrap(), 50_000);
    assert_eq!(just(1).repeat(100_000).count().wait().unwrap(), 100_000);
}

#[test]
fn a_failing_source_is_tried_again_as_often_as_was_said() {
    let mut n_tries = 0;
    let flaky = generate((), move |()| {
        n_tries += 1;
        Err::<Option<u8>, _>(Error::message(format!("try {n_tries}")))
    });
    // Each try is a clone of the generator, so that all of them are first tries.
    let failed = flaky.retry(2).count().wait().unwrap_err();

    assert_eq!(failed.to_string(), "try 1");
}

#[test]
fn an_error_is_replaced_by_what_was_said() {
    let flow = just(1).concat(error(Error::message("no luck")));

    let resumed = flow.clone().on_error_resume(|_| from_iter([2, 3])).collect::<Vec<_>>();
    let returned = flow.on_error_return(|error| error.to_string().len() as i32);

    assert_eq!(resumed.wait().unwrap(), [1, 2, 3]);
    assert_eq!(returned.collect::<Vec<_>>().wait().unwrap(), [1, 7]);
}

#[test]
fn a_publisher_that_sends_too_much_is_canceled() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).limit_rate(2));
    probe.request(1);
    (1..=4).for_each(|n| assert!(puppet.force_next(n).is_ok()));

    probe.request(9);

    assert!(puppet.is_canceled());
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Overflow);
    assert!(probe.items().starts_with(&[1, 2]));
}

#[test]
fn a_publisher_that_goes_away_is_noticed() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).limit_rate(2));
    probe.request(1);

    puppet.drop_subscriber();

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
}

#[test]
fn lines_end_with_or_without_a_line_end() {
    let read = |text: &'static str| lines(text.as_bytes()).collect::<Vec<_>>().wait().unwrap();

    assert_eq!(read("a\nb\r\n\nc"), ["a", "b", "", "c"]);
    assert_eq!(read("a\n"), ["a"]);
    assert_eq!(read(""), Vec::<String>::new());
}

#[test]
fn a_line_that_is_not_text_is_named_by_its_number() {
    let failed = lines(&b"good\nbad\xff\n"[..]).count().wait().unwrap_err();

    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    assert!(failed.to_string().starts_with("line 2 is not UTF-8"), "{failed}");
    assert_eq!(byte_lines(&b"good\nbad\xff\n"[..]).count().wait().unwrap(), 2);
}

#[test]
fn a_file_that_is_missing_is_named() {
    let failed = lines_of("no/such/file.txt").count().wait().unwrap_err();

    assert_eq!(failed.kind(), ErrorKind::Io);
    assert!(failed.to_string().contains("no/such/file.txt"));
    assert!(failed.downcast_ref::<io::Error>().is_some());
}

#[test]
fn a_reader_that_fails_fails_the_flow_after_its_lines() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("cable"))
        }
    }
    let reader = BufReader::new(b"one\n".chain(Broken));
    let probe = Probe::subscribe_to(lines(reader));

    probe.request(9);

    assert_eq!(probe.items(), ["one"]);
    assert_eq!(probe.error().unwrap().to_string(), "reading: cable");
}
