//! Panics in user code, decided once.
//!
//! A panic inside a turn ends the stream: the source is canceled, the subscriber gets `on_error` of
//! kind `Panicked`, and nothing stays locked. Code of the user that runs outside of a turn, such as
//! the closure of an `on_error_resume`, is run by [`caught`].

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread::panicking,
};

use reactive_streams::Error;

/// Runs `f`, and makes an error of kind `Panicked` of a panic.
///
/// # Errors
///
/// The panic's text.
#[inline(always)]
pub fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Error> {
    // `AssertUnwindSafe`: what `f` may have left half done is dropped by every caller in this
    // crate, and the operators' own state is not looked at again after an error.
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let error = Error::panicked(&*payload);
        discard(payload);
        error
    })
}

/// Drops a panic's payload, which is the user's and may panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    if let Err(second) = dropped {
        #[expect(clippy::mem_forget, reason = "a payload that panics on drop cannot be dropped")]
        std::mem::forget(second);
    }
}

/// Drops all items that `next` gives, also those behind one whose drop panics. The first panic goes
/// on when all are dropped, unless the thread is panicking already.
///
/// `next` must have given up its claim to an item when it gives it.
pub(crate) fn drop_all<T>(mut next: impl FnMut() -> Option<T>) {
    let mut first = None;
    // `AssertUnwindSafe`: by the condition above, `next` goes on behind the item whose drop
    // panicked.
    while let Err(payload) = catch_unwind(AssertUnwindSafe(|| while next().is_some() {})) {
        match &first {
            None => first = Some(payload),
            Some(_) => discard(payload),
        }
    }
    match first {
        Some(payload) if !panicking() => resume_unwind(payload),
        Some(payload) => discard(payload),
        None => {}
    }
}

/// [`caught`] for what runs seldom: it is called by a pointer, so that there is one piece of code
/// for all of it.
pub(crate) fn caught_seldom(f: impl FnOnce()) -> Result<(), Error> {
    let mut f = Some(f);
    caught_by_pointer(&mut || {
        if let Some(f) = f.take() {
            f();
        }
    })
}

fn caught_by_pointer(f: &mut dyn FnMut()) -> Result<(), Error> {
    caught(f)
}

/// Runs `f` where nobody is left to be told of a panic; the panic hook has printed it.
pub fn muted(f: impl FnOnce()) {
    drop(caught_seldom(f));
}
