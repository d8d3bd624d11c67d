//! The items of a flow, one at a time, for a future that polls.
//!
//! An [`Intake`] asks for one item when it is polled for one, so that what is polled only while
//! there is room, such as the body of a response, is the flow's demand.
//! What is held is that one item.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use millstream_kernel::{End, Step, TaskWaker};
use reactive_streams::{Error, Publisher};

use super::inlet::{Inlet, inlet};

/// How many items a future takes before it returns to its gate, which lets others on the worker run
/// after as many returns as it has chunks in a turn.
const BUDGET: u32 = 8;

/// The items of a flow, each asked for when it is wanted. Dropping it cancels the flow.
pub struct Intake<T> {
    inlet: Inlet<T>,
    waker: Arc<TaskWaker>,
    /// An item was asked for and has not come.
    is_asked: bool,
    is_ended: bool,
    n_left: u32,
}

impl<T: Send + 'static> Intake<T> {
    /// Subscribes, and asks for nothing yet.
    pub fn of<P: Publisher<Item = T>>(publisher: P) -> Self {
        let (entrance, inlet) = inlet(1);
        let waker = Arc::new(TaskWaker::new());
        let subscriber = entrance.subscriber(Arc::clone(&waker));
        crate::Context::new().within(|| publisher.subscribe(subscriber));
        Self { inlet, waker, is_asked: false, is_ended: false, n_left: BUDGET }
    }

    /// The next item, which is asked for unless it has been; `None` when the flow has completed.
    ///
    /// # Errors
    ///
    /// That of the flow, once.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>, Error>> {
        if self.n_left == 0 {
            self.n_left = BUDGET;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.is_asked && !self.is_ended {
            self.is_asked = true;
            self.inlet.request(1);
        }
        self.look(cx, |inlet| match inlet.take() {
            Step::Item(item) => Some(Ok(item)),
            Step::Pending => None,
            Step::End(end) => Some(Err(end)),
        })
        .map(|next| {
            self.is_asked = false;
            self.n_left -= 1;
            next.transpose()
        })
    }

    /// Ready once the flow has ended and its items were taken. Asks for nothing.
    ///
    /// # Errors
    ///
    /// That of the flow, once.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.look(cx, |inlet| inlet.end().map(Err)).map(|end| match end {
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Ok(()),
        })
    }

    /// Looks, registers, and looks again, because the flow may have come between.
    fn look(
        &mut self,
        cx: &Context<'_>,
        mut take: impl FnMut(&mut Inlet<T>) -> Option<Result<T, End>>,
    ) -> Poll<Option<Result<T, Error>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let mut taken = take(&mut self.inlet);
        if taken.is_none() {
            self.waker.register(cx.waker());
            taken = take(&mut self.inlet);
        }
        match taken {
            None => Poll::Pending,
            Some(Ok(item)) => Poll::Ready(Some(Ok(item))),
            Some(Err(end)) => {
                self.is_ended = true;
                Poll::Ready(match end {
                    End::Complete => None,
                    End::Failed(error) => Some(Err(error)),
                })
            }
        }
    }
}

impl<T> Drop for Intake<T> {
    fn drop(&mut self) {
        self.inlet.cancel();
    }
}

opaque_debug!(Intake<T>);
