//! Ctrl-C and SIGTERM.

use std::{io, process, sync::Arc};

use crate::sink::Interrupt;

/// Ends the flow at the first signal, and the process at the second: something blocks then, such as
/// a reader of the output that does not read.
///
/// # Errors
///
/// If the signals cannot be caught, or no thread can wait for them.
#[cfg(unix)]
pub(crate) fn catch(interrupt: Arc<Interrupt>) -> io::Result<()> {
    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
    };

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        for signal in signals.forever() {
            let signal = u8::try_from(signal).unwrap_or(0);
            if interrupt.raise(signal) {
                process::exit(i32::from(signal) + 128);
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

/// Elsewhere Ctrl-C ends the process at once, which leaves the former outputs as they were.
#[cfg(not(unix))]
pub(crate) fn catch(_: Arc<Interrupt>) -> io::Result<()> {
    Ok(())
}
