//! What `tracing` gets to see.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use millstream::{Error, error, range};
use millstream_testkit::Probe;
use tracing::Level;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written meanwhile on this thread.
fn lines_of(f: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, f);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn log_writes_every_signal_and_request() {
    let lines = lines_of(|| {
        let probe = Probe::subscribe_to(range(7..9).log("numbers"));
        probe.request(1);
        probe.request(1);
        Probe::subscribe_to(range(7..9).log("numbers")).cancel();
        drop(error::<u8>(Error::message("no luck")).log("fails").count());
    });

    assert_eq!(
        lines,
        [
            r#"DEBUG millstream::log: subscribe flow="numbers""#,
            r#"DEBUG millstream::log: request flow="numbers" n=1"#,
            r#"TRACE millstream::log: next flow="numbers" item=7"#,
            r#"DEBUG millstream::log: request flow="numbers" n=1"#,
            r#"TRACE millstream::log: next flow="numbers" item=8"#,
            r#"DEBUG millstream::log: complete flow="numbers""#,
            r#"DEBUG millstream::log: subscribe flow="numbers""#,
            r#"DEBUG millstream::log: cancel flow="numbers""#,
            r#"DEBUG millstream::log: subscribe flow="fails""#,
            r#"DEBUG millstream::log: request flow="fails" n=18446744073709551615"#,
            r#"DEBUG millstream::log: error flow="fails" error=no luck"#,
        ]
    );
}

#[test]
fn instrument_has_both_sides_in_its_span() {
    let lines = lines_of(|| {
        let span = tracing::info_span!("span");
        let flow = range(0..1)
            .inspect(|_| tracing::info!(target: "above", "item"))
            .instrument(span)
            .inspect(|_| tracing::info!(target: "below", "item"));
        Probe::subscribe_to(flow).request(1);
        tracing::info!(target: "outside", "end");
    });

    let below = lines.iter().find(|line| line.contains("below")).unwrap();
    assert!(below.starts_with("INFO span:"), "{below}");
    let above = lines.iter().find(|line| line.contains("above")).unwrap();
    assert!(above.starts_with("INFO span:"), "{above}");
    assert_eq!(lines.last().unwrap(), "INFO outside: end");
}
