//! Panics in user code, decided once.
//!
//! A panic inside a turn ends the stream: the source is cancelled, the subscriber gets `on_error` of
//! kind `Panicked`, and nothing stays locked. Code of the user that runs outside of a turn, such as
//! the closure of an `on_error_resume`, is run by [`caught`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use reactive_streams::Error;

/// Runs `f`, and makes an error of kind `Panicked` of a panic.
///
/// # Errors
///
/// The panic's text.
#[inline(always)]
pub fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Error> {
    // `AssertUnwindSafe`: what `f` may have left half done is dropped by every caller in this crate, and
    // the operators' own state is not looked at again after an error.
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let error = Error::panicked(&*payload);
        // The payload is the user's and may panic when it is dropped.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        if let Err(second) = dropped {
            #[expect(
                clippy::mem_forget,
                reason = "a payload that panics on drop cannot be dropped"
            )]
            std::mem::forget(second);
        }
        error
    })
}

/// Runs `f` where nobody is left to be told of a panic; the panic hook has printed it.
pub fn muted(f: impl FnOnce()) {
    drop(caught(f));
}
