//! Readers, writers and iterators that block.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{
    Demand, Error, ErrorKind, Flow,
    bridge::read_chunks,
    error, from_iter, range,
    scheduler::{Immediate, Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

/// Reads and writes some bytes, and then fails.
struct Breaks(usize);

impl Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::ConnectionReset)?;
        match self.0 {
            0 => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(buffer.len().min(1)),
        }
    }
}

impl Write for Breaks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0 == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[test]
fn a_chunk_is_read_when_it_is_asked_for_and_is_no_longer_than_was_said() {
    let probe = Probe::subscribe_to(read_chunks(&b"abcdefg"[..], 3));
    probe.request(2);
    assert_eq!(probe.items(), [b"abc", b"def"]);

    probe.request(2);

    assert_eq!(probe.items()[2..], [b"g"]);
    assert!(probe.is_completed());
}

#[test]
fn reading_that_fails_is_an_error_after_the_chunks_before_and_one_interrupted_goes_on() {
    let probe = Probe::subscribe_to(read_chunks(Breaks(3), 8));

    probe.request(9);

    assert_eq!(probe.n_items(), 2);
    let failed = probe.error().unwrap();
    assert_eq!(failed.kind(), ErrorKind::Io);
    let cause = failed.downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
#[should_panic(expected = "a capacity of 0 would never let an item through")]
fn chunks_of_nothing_are_refused() {
    drop(read_chunks(&b""[..], 0));
}

#[test]
fn writing_that_fails_cancels_the_flow_and_says_when() {
    let (puppet, publisher) = Puppet::new();
    let written = Flow::from(publisher).write_all_to(Breaks(1));
    puppet.next("a").unwrap();
    assert!(!puppet.is_canceled());
    puppet.next("b").unwrap();
    assert!(puppet.is_canceled());
    let failed = written.wait().map(drop).unwrap_err();
    assert_eq!(
        (failed.kind(), failed.to_string().as_str()),
        (ErrorKind::Io, "writing: broken pipe")
    );

    let failed = from_iter(["a"]).write_all_to(Breaks(1)).wait().map(drop).unwrap_err();

    assert!(failed.to_string().starts_with("flushing: "), "{failed}");
}

/// A writer that keeps what it is given until it is flushed.
#[derive(Clone, Default)]
struct Keeps {
    kept: Vec<u8>,
    flushed: Arc<Mutex<Vec<Vec<u8>>>>,
    is_full: bool,
}

impl Write for Keeps {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.flushed.lock().unwrap().push(std::mem::take(&mut self.kept));
        Ok(())
    }
}

#[test]
fn what_was_written_is_flushed_when_no_item_comes_for_a_while() {
    let clock = VirtualTime::new();
    let writer = Keeps::default();
    let flushed = Arc::clone(&writer.flushed);
    let n_flushed = || flushed.lock().unwrap().len();
    let (puppet, publisher) = Puppet::new();
    let written = Flow::from(publisher).write_all_to_on(&clock, writer);
    assert_eq!(clock.n_timers(), 0, "nothing was written");

    for item in ["a", "b", "c"] {
        puppet.next(item).unwrap();
        clock.advance(Duration::from_millis(15));
    }
    assert_eq!(n_flushed(), 0, "items follow each other");
    clock.advance(Duration::from_millis(5));
    assert_eq!(*flushed.lock().unwrap(), [b"abc"]);
    clock.advance(Duration::from_secs(9));
    assert_eq!((n_flushed(), clock.n_timers()), (1, 0), "nothing was written since");

    puppet.next("d").unwrap();
    clock.advance(Duration::from_millis(50));
    assert_eq!(n_flushed(), 2);
    puppet.next("e").unwrap();
    puppet.complete();
    assert_eq!(clock.n_timers(), 0);
    written.wait().unwrap();
    assert_eq!(*flushed.lock().unwrap(), [b"abc".as_slice(), b"d", b"e"]);
}

#[test]
fn a_scheduler_that_cannot_wait_flushes_at_once() {
    let writer = Keeps::default();
    let flushed = Arc::clone(&writer.flushed);
    let (puppet, publisher) = Puppet::new();
    let written = Flow::from(publisher).write_all_to_on(&Immediate, writer);

    puppet.next("a").unwrap();

    assert_eq!(*flushed.lock().unwrap(), [b"a"]);
    drop(written);
    assert!(puppet.is_canceled());
}

#[test]
fn flushing_that_fails_while_no_item_comes_cancels_the_flow() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let writer = Keeps { is_full: true, ..Keeps::default() };
    let written = Flow::from(publisher).write_all_to_on(&clock, writer);
    puppet.next("a").unwrap();
    assert!(!puppet.is_canceled());

    clock.advance(Duration::from_millis(50));

    assert!(puppet.is_canceled());
    let failed = written.wait().map(drop).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Io);
    assert!(failed.to_string().starts_with("flushing: "), "{failed}");
}

/// The source waits for its next line on the thread that would write.
#[test]
fn what_was_written_is_flushed_while_the_source_waits() {
    struct Waits(u8, Arc<Mutex<Vec<Vec<u8>>>>);
    impl Read for Waits {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            while self.1.lock().unwrap().len() < usize::from(self.0) {
                std::thread::yield_now();
            }
            self.0 += 1;
            buffer[0] = b'x';
            Ok(usize::from(self.0 <= 3))
        }
    }

    let writer = Keeps::default();
    let flushed = Arc::clone(&writer.flushed);
    let reader = Waits(0, Arc::clone(&flushed));
    read_chunks(reader, 1).write_all_to(writer).wait().unwrap();

    assert_eq!(flushed.lock().unwrap()[..3], [b"x", b"x", b"x"]);
}

#[test]
fn what_is_read_can_be_written() {
    let bytes: Vec<u8> = (0..=255).collect();

    let copy = read_chunks(io::Cursor::new(bytes.clone()), 7).write_all_to(Vec::new());

    assert_eq!(copy.wait().unwrap(), bytes);
}

#[test]
fn an_iterator_asks_for_its_capacity_at_the_first_item_and_gives_the_failure_last() {
    let (puppet, publisher) = Puppet::new();
    let mut items = Flow::from(publisher).into_iter_blocking(4);
    assert_eq!(puppet.requested(), Demand::ZERO);
    let feeder = Pool::new(1);
    let fed = {
        let puppet = puppet.clone();
        millstream::from_fn(move || while puppet.next(1).is_err() {}).subscribe_on(&feeder).count()
    };

    assert_eq!(items.next().unwrap().unwrap(), 1);

    assert_eq!(fed.wait().unwrap(), 1);
    assert_eq!(puppet.requested(), Demand::new(4));
    puppet.fail(Error::message("no"));
    assert_eq!(items.next().unwrap().unwrap_err().to_string(), "no");
    assert!(items.next().is_none() && items.next().is_none());
}

#[test]
fn an_iterator_crosses_threads_in_order_and_cancels_when_dropped() {
    let pool = Pool::new(1);
    let items = range(0..10_000).subscribe_on(&pool).into_iter_blocking(7);
    assert!(items.map(Result::unwrap).eq(0..10_000));
    assert!(error::<u8>(Error::message("no")).into_iter_blocking(1).next().unwrap().is_err());

    let (puppet, publisher) = Puppet::<u8>::new();
    drop(Flow::from(publisher).into_iter_blocking(1));

    assert!(puppet.is_canceled());
}
