//! Server-sent events: what is written is read, wherever it is cut, and what the standard says.

use std::time::Duration;

use bytes::Bytes;
use millstream::{ErrorKind, from_iter};
use millstream_http::{FlowExt as _, sse::Event};

fn read(chunks: Vec<Bytes>) -> Vec<Event> {
    from_iter(chunks).events(1_000).collect().wait().unwrap()
}

/// All in one chunk, and byte by byte.
#[track_caller]
fn assert_read(text: &str, expected: &[Event]) {
    assert_eq!(read(vec![Bytes::from(text.to_owned())]), expected, "{text:?}");
    let bytes = text.bytes().map(|byte| Bytes::copy_from_slice(&[byte])).collect();
    assert_eq!(read(bytes), expected, "{text:?}, byte by byte");
}

#[test]
fn what_is_written_is_read() {
    let events = [
        Event::new("one"),
        Event::new("two\nlines").named("update").unwrap().with_id("7").unwrap(),
        Event::new(""),
        Event::new(" kept space: and colon").with_retry(Duration::from_millis(1_500)),
        Event::new("ümläut 🎉"),
    ];
    let mut text = String::from("\u{feff}");
    for event in &events {
        let bytes = Bytes::from(Event::comment("still here\nreally"));
        text += std::str::from_utf8(&bytes).unwrap();
        text += std::str::from_utf8(&Bytes::from(event.clone())).unwrap();
    }
    assert_read(&text, &events);
}

#[test]
fn lines_end_as_the_standard_has_them_end() {
    let event = || Event::new("a\nb");
    for end in ["\n", "\r", "\r\n"] {
        let text = format!("data: a{end}data:b{end}{end}data: a{end}data:b{end}{end}");
        assert_read(&text, &[event(), event()]);
    }
    assert_read("data: a\r\ndata: b\n\r\ndata: a\rdata: b\r\r\n", &[event(), event()]);
    let split = Bytes::from(Event::new("a\r\nb\rc"));
    assert_eq!(split, "data: a\ndata: b\ndata: c\n\n");
}

#[test]
fn what_is_no_event_is_passed_over() {
    // No data; no end; fields that nobody knows; numbers that are none.
    assert_read("id: 1\n\ndata: a\nfield: x\nretry: 1x\nnothing\n\ndata: cut", &[Event::new("a")]);
    assert_read("\n\n\n", &[]);
    let with_nul = read(vec![Bytes::from_static(b"id: a\0b\ndata: \xff\n\n")]);
    assert_eq!(with_nul, [Event::new("\u{fffd}")]);
}

#[test]
fn an_event_that_is_too_long_fails_and_one_with_two_lines_for_a_name_is_none() {
    let long = vec![Bytes::from("data: a\n\ndata: "), Bytes::from("x".repeat(2_000))];
    let failed = from_iter(long).events(1_000).count().wait().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    assert!(failed.to_string().contains("longer than 1000 bytes"), "{failed}");
    assert_eq!(Event::new("").named("a\nb").unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(Event::new("").with_id("a\0").is_err());
}
