//! tokio's readers and writers, and frames in their bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use millstream::{
    Demand, Error, ErrorKind, Flow,
    bridge::{decode_with, read_bytes, read_frames, read_lines},
    error, from_iter,
};
use millstream_testkit::{Probe, Puppet};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf, duplex};
use tokio_util::codec::{AnyDelimiterCodec, BytesCodec, LengthDelimitedCodec, LinesCodec};

use super::{runtime, settle};

/// Some bytes, and then an error.
struct Breaks(&'static [u8]);

impl AsyncRead for Breaks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = std::mem::take(&mut self.0);
        if bytes.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        buffer.put_slice(bytes);
        Poll::Ready(Ok(()))
    }
}

#[test]
fn bytes_are_read_when_they_are_asked_for() {
    runtime().block_on(async {
        let (mut writer, reader) = duplex(4);
        let probe = Probe::subscribe_to(read_bytes(reader, 2));
        writer.write_all(b"abcd").await.unwrap();
        settle().await;
        let mut more = Box::pin(writer.write_all(b"e"));
        assert!(futures::poll!(&mut more).is_pending(), "nothing was read");

        probe.request(2);
        settle().await;
        more.await.unwrap();
        assert_eq!(probe.items(), ["ab", "cd"]);
        drop(writer);
        probe.request(9);
        settle().await;

        assert_eq!(probe.items(), ["ab", "cd", "e"]);
        assert!(probe.is_completed());
    });
}

#[test]
fn a_cancel_drops_the_reader() {
    runtime().block_on(async {
        let (mut writer, reader) = duplex(4);
        let probe = Probe::subscribe_to(read_lines(reader, 4));
        probe.request(1);
        settle().await;

        probe.cancel();

        assert_eq!(writer.write(b"a").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_reader_that_fails_is_of_kind_io_for_every_decoder() {
    let errors = [
        read_bytes(Breaks(b"a"), 8).count().wait().unwrap_err(),
        read_lines(Breaks(b"a\nb"), 8).count().wait().unwrap_err(),
        read_frames(Breaks(b"\0"), 8).count().wait().unwrap_err(),
        decode_with(Breaks(b"a"), BytesCodec::new(), 8).count().wait().unwrap_err(),
    ];

    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().starts_with("reading: "), "{error}");
    }
}

#[test]
fn a_frame_that_is_too_long_is_invalid_and_says_which() {
    let long = b"a\nbbbbbbbbbb\nc\n";
    for (limit, is_good) in [(11, true), (10, false)] {
        let probe = Probe::subscribe_to(read_lines(&long[..], limit));
        probe.request(u64::MAX);
        probe.wait_until_ended();
        assert_eq!(probe.is_completed(), is_good);
        assert_eq!(probe.n_items(), if is_good { 3 } else { 1 });
        if let Some(error) = probe.error() {
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().starts_with("frame 2: "), "{error}");
        }
    }
    let endless = read_lines(tokio::io::repeat(b'x'), 100).count().wait().unwrap_err();
    assert_eq!(endless.kind(), ErrorKind::InvalidData);

    let announced = read_frames(&b"\0\0\0\x09"[..], 8).count().wait().unwrap_err();
    assert_eq!(announced.kind(), ErrorKind::InvalidData);
    let whole = read_frames(&b"\0\0\0\x0812345678"[..], 8).count();
    assert_eq!(whole.wait().unwrap(), 1);
}

#[test]
fn a_frame_that_the_end_cuts_is_invalid() {
    for bytes in [&b"\0\0\0\x01a\0\0\0\x02b"[..], b"\0\0\0\x01a\0\0"] {
        let probe = Probe::subscribe_to(read_frames(bytes, 8));
        probe.request(9);
        probe.wait_until_ended();

        assert_eq!(probe.items(), ["a"]);
        assert_eq!(probe.error().unwrap().kind(), ErrorKind::InvalidData);
    }
}

#[test]
fn bytes_that_the_decoder_rejects_are_invalid() {
    let error = read_lines(&b"good\n\xff\n"[..], 8).count().wait().unwrap_err();

    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().starts_with("frame 2: "), "{error}");
}

#[test]
#[should_panic(expected = "a capacity of 0 would never let an item through")]
fn frames_of_nothing_are_refused() {
    drop(decode_with(&b""[..], AnyDelimiterCodec::default(), 0));
}

#[test]
fn items_are_asked_for_as_the_writer_takes_them() {
    runtime().block_on(async {
        let (writer, mut reader) = duplex(16);
        let (puppet, publisher) = Puppet::new();
        let written = Flow::from(publisher).write_to(writer, BytesCodec::new());
        settle().await;
        let chunk = bytes::Bytes::from(vec![b'x'; 4096]);
        let mut n_sent = 0;
        while puppet.next(chunk.clone()).is_ok() {
            n_sent += 1;
            settle().await;
        }
        assert_eq!(n_sent, 3, "8 KiB and one item, of which 16 bytes were written");

        let mut read = vec![0; n_sent * chunk.len()];
        reader.read_exact(&mut read).await.unwrap();
        settle().await;
        assert_eq!(puppet.demand(), Demand::new(1));
        puppet.complete();
        written.await.unwrap();

        assert_eq!(reader.read(&mut read).await.unwrap(), 0, "the writer was shut down");
    });
}

#[test]
fn an_item_is_written_without_the_next() {
    runtime().block_on(async {
        let (writer, reader) = duplex(16);
        let (puppet, publisher) = Puppet::new();
        let _written = Flow::from(publisher).write_to(writer, LinesCodec::new());
        let probe = Probe::subscribe_to(read_lines(reader, 16));
        probe.request(1);
        settle().await;

        puppet.next("now").unwrap();
        settle().await;

        assert_eq!(probe.items(), ["now"]);
    });
}

#[test]
fn a_writer_that_fails_cancels_the_flow() {
    runtime().block_on(async {
        let (writer, reader) = duplex(16);
        let (puppet, publisher) = Puppet::new();
        let written = Flow::from(publisher).write_to(writer, LinesCodec::new());
        settle().await;
        drop(reader);

        puppet.next("lost").unwrap();

        assert_eq!(written.await.unwrap_err().kind(), ErrorKind::Io);
        assert!(puppet.is_canceled());
    });
}

#[test]
fn an_item_that_the_encoder_rejects_is_invalid() {
    let (writer, _reader) = duplex(16);
    let codec = LengthDelimitedCodec::builder().max_frame_length(1).new_codec();

    let written = from_iter([bytes::Bytes::from_static(b"ab")]).write_to(writer, codec);

    assert_eq!(written.wait().unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn a_flow_that_fails_leaves_what_was_before_written() {
    runtime().block_on(async {
        let (writer, mut reader) = duplex(16);
        let failing = from_iter(["a"]).concat(error(Error::message("no")));

        let written = failing.write_to(writer, LinesCodec::new());

        assert_eq!(written.await.unwrap_err().to_string(), "no");
        let mut text = String::new();
        reader.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "a\n");
    });
}

#[test]
fn frames_go_through_a_pipe_that_is_smaller_than_they_are() {
    let (writer, reader) = duplex(3);
    let frames = || from_iter((0..100).map(|n| bytes::Bytes::from(vec![n; n.into()])));
    let written = frames().write_to(writer, LengthDelimitedCodec::new());

    let read = read_frames(reader, 100).map(bytes::BytesMut::freeze).collect::<Vec<_>>();

    assert_eq!(read.wait().unwrap(), frames().collect::<Vec<_>>().wait().unwrap());
    written.wait().unwrap();
}
