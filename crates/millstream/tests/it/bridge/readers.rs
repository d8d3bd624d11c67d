//! The bytes of flows as readers, and what is decoded of them.

use std::sync::{Arc, Mutex};

use millstream::{Error, ErrorKind, Flow, bridge::read_bytes, error, from_iter, range};
use millstream_testkit::{Probe, Puppet};
use tokio::io::{AsyncReadExt as _, duplex};
use tokio_util::codec::LinesCodec;

use super::{runtime, settle};

#[test]
fn chunks_are_asked_for_when_a_frame_is_asked_for() {
    runtime().block_on(async {
        let (puppet, publisher) = Puppet::<&str>::new();
        let probe = Probe::subscribe_to(Flow::from(publisher).decode(LinesCodec::new(), 80));
        settle().await;
        assert_eq!(puppet.n_requests(), 0, "nobody has asked for a line");

        probe.request(1);
        settle().await;
        assert_eq!(puppet.n_requests(), 1);
        puppet.next("fir").unwrap();
        settle().await;
        assert_eq!(puppet.n_requests(), 2, "half a line is no line");
        puppet.next("st\nsecond\nthi").unwrap();
        settle().await;
        assert_eq!((probe.items(), puppet.n_requests()), (vec!["first".to_owned()], 2));

        probe.request(1);
        settle().await;
        assert_eq!(probe.items().len(), 2);
        assert_eq!(puppet.n_requests(), 2, "the second line was here");
        probe.cancel();
        settle().await;
        assert!(puppet.is_canceled());
    });
}

#[test]
fn a_flow_that_fails_keeps_its_error_on_the_way_through_a_reader() {
    runtime().block_on(async {
        let broken = || from_iter(["a\nb"]).concat(error(Error::new(ErrorKind::Timeout, "late")));
        let probe = Probe::subscribe_to(broken().decode(LinesCodec::new(), 80));
        probe.request(9);
        settle().await;
        assert_eq!(probe.items(), ["a"]);
        let failed = probe.error().unwrap();
        assert_eq!((failed.kind(), failed.to_string()), (ErrorKind::Timeout, "late".to_owned()));

        let probe = Probe::subscribe_to(read_bytes(broken().into_reader(), 2));
        probe.request(9);
        settle().await;
        assert_eq!(probe.error().unwrap().kind(), ErrorKind::Timeout);
        let read: Vec<u8> = probe.items().iter().flat_map(|chunk| chunk.to_vec()).collect();
        assert_eq!(read, b"a\nb");

        let mut text = String::new();
        let failed = broken().into_reader().read_to_string(&mut text).await.unwrap_err();
        assert!(failed.get_ref().unwrap().is::<Error>());
    });
}

#[test]
fn a_frame_that_is_too_long_or_cut_cancels_the_source() {
    runtime().block_on(async {
        for (chunk, said) in [("xxxxxxxxx", "longer than 8 bytes"), ("x\nyyyyyyyyy", "frame 2")] {
            let (puppet, publisher) = Puppet::<&str>::new();
            let probe = Probe::subscribe_to(Flow::from(publisher).decode(LinesCodec::new(), 8));
            probe.request(9);
            settle().await;
            puppet.next(chunk).unwrap();
            settle().await;
            let failed = probe.error().unwrap();
            assert_eq!(failed.kind(), ErrorKind::InvalidData);
            assert!(failed.to_string().contains(said), "{failed}");
            assert!(puppet.is_canceled());
        }
    });
}

#[test]
fn a_reader_asks_for_one_chunk_at_a_time_and_cancels_when_it_is_dropped() {
    runtime().block_on(async {
        let asked = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&asked);
        let chunks = range(0..9_u32).map(move |_| {
            *counter.lock().unwrap() += 1;
            "abcd"
        });
        let mut reader = chunks.into_reader();
        let mut bytes = [0; 2];
        for n in [1, 1, 2] {
            reader.read_exact(&mut bytes).await.unwrap();
            assert_eq!(*asked.lock().unwrap(), n);
        }
        drop(reader);

        let (puppet, publisher) = Puppet::<&str>::new();
        let mut reader = Flow::from(publisher).into_reader();
        assert!(futures::poll!(Box::pin(reader.read_u8())).is_pending());
        drop(reader);
        assert!(puppet.is_canceled());
    });
}

#[test]
fn a_writer_and_a_reader_of_flows_meet() {
    runtime().block_on(async {
        let (writer, reader) = duplex(16);
        let lines = (0..100).map(|n| format!("line {n}"));
        let written = from_iter(lines.clone()).write_to(writer, LinesCodec::new());
        let read = read_bytes(reader, 7).decode(LinesCodec::new(), 80).collect::<Vec<_>>();
        assert_eq!(read.await.unwrap(), lines.collect::<Vec<_>>());
        written.await.unwrap();
    });
}

#[cfg(feature = "json")]
#[test]
fn lines_of_json_are_values_and_one_that_is_none_says_which() {
    use millstream::bridge::JsonLines;

    runtime().block_on(async {
        let lines = from_iter(["1\n", "\r\n 2 \r\n", "thr", "ee\n4\n"]);
        let probe = Probe::subscribe_to(lines.decode(JsonLines::<u32>::new(), 8));
        probe.request(9);
        settle().await;
        assert_eq!(probe.items(), [1, 2]);
        let failed = probe.error().unwrap();
        assert_eq!(failed.kind(), ErrorKind::InvalidData);
        assert!(failed.to_string().starts_with("frame 3: "), "{failed}");

        let cut = from_iter(["[1,"]).decode(JsonLines::<Vec<u32>>::new(), 8);
        assert_eq!(cut.count().await.unwrap_err().kind(), ErrorKind::InvalidData);
        let long = from_iter(["1234", "56789"]).decode(JsonLines::<u32>::new(), 8);
        assert!(long.count().await.unwrap_err().to_string().contains("longer than 8"));
    });
}
