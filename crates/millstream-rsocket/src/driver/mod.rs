//! The task of a connection: between its transport, its protocol and the flows on both sides.
//!
//! All of a connection happens on one task. Flows reach it by commands, of which there are never
//! more than a few for each stream; it reaches them by signals and requests. User code that it runs
//! cannot come back into it, and a panic ends the stream that it belongs to.
//!
//! # Room
//!
//! What a peer grants is requested of a publisher as far as the connection has room: no more than
//! `WINDOW` bytes at a time, measured by the items that came before, and nothing while `HIGH` bytes
//! wait to be written. Frames go to the transport as far as it takes them, and no frame is read
//! while more than `MOST_ANSWERS` bytes of answers wait for a peer that does not read.

mod commands;
mod events;
mod incoming;
mod outgoing;
mod returning;
mod sending;

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use incoming::Incoming;
use outgoing::Outgoing;
pub(crate) use returning::{Connect, Returning, Sessions};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    link::{Command, Link},
    map::Map,
    proto::{Connection, MOST_ANSWERS},
    responder::Responder,
    server::Accept,
    transport::Transport,
};

/// So many bytes wait to be written before no more are asked for.
const HIGH: usize = 128 * 1024;
/// How many frames are read, or commands taken, before the other is looked at.
const BATCH: usize = 128;
/// How often the task goes round before it lets others run.
const ROUNDS: usize = 32;
/// After how many rounds what was gathered is written, unless the transport writes before.
const FLUSH: usize = 4;
/// How long the last frames of a connection may take.
const LINGER: Duration = Duration::from_secs(3);

/// What answers the peer.
pub(crate) enum Answering {
    /// A server that has not let its client in yet.
    Waiting(Arc<Accept>),
    /// A responder.
    With(Arc<dyn Responder>),
}

/// A stream, on the side of the application.
struct Entry {
    /// Its number, once it was opened.
    id: Option<u32>,
    incoming: Option<Incoming>,
    outgoing: Option<Outgoing>,
}

/// The task.
pub(crate) struct Driver<T> {
    /// `None` while the connection waits for another.
    transport: Option<T>,
    returning: Returning<T>,
    connection: Connection,
    link: Link,
    commands: UnboundedReceiver<Command>,
    batch: Vec<Command>,
    answering: Answering,
    /// By keys of this task's own, since numbers are used again.
    entries: Map<u64, Entry>,
    by_id: Map<u32, u64>,
    next_key: u64,
    /// Streams whose publishers are asked when there is room.
    waiting: VecDeque<u64>,
    n_background: usize,
    max_background: usize,
    lease: Option<u32>,
    start: Instant,
    timer: Pin<Box<Sleep>>,
    /// The connection is over, and its last frames may take until then.
    ends_at: Option<Instant>,
    /// The transport has taken all frames that there were.
    is_drained: bool,
}

impl<T: Transport> Driver<T> {
    pub(crate) fn new(
        (transport, returning): (T, Returning<T>),
        connection: Connection,
        (link, commands): (Link, UnboundedReceiver<Command>),
        answering: Answering,
        max_background: usize,
    ) -> Self {
        let start = Instant::now();
        Self {
            transport: Some(transport),
            returning,
            connection,
            link,
            commands,
            batch: Vec::new(),
            answering,
            entries: Map::default(),
            by_id: Map::default(),
            next_key: 0,
            waiting: VecDeque::new(),
            n_background: 0,
            max_background,
            lease: None,
            start,
            timer: Box::pin(sleep_until(start)),
            ends_at: None,
            is_drained: false,
        }
    }

    /// Takes commands. Returns whether there was one.
    fn poll_commands(&mut self, cx: &mut Context<'_>) -> bool {
        let mut batch = std::mem::take(&mut self.batch);
        let has_some = matches!(
            self.commands.poll_recv_many(cx, &mut batch, BATCH),
            Poll::Ready(n) if n > 0
        );
        for command in batch.drain(..) {
            self.command(command, cx);
        }
        self.batch = batch;
        has_some
    }

    /// Reads frames. Returns whether there was one.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_some = false;
        // A look at the clock is for all that have come together.
        let mut now = None;
        for _ in 0..BATCH {
            if self.connection.is_closed() || self.connection.answers() > MOST_ANSWERS {
                break;
            }
            let Some(transport) = &mut self.transport else { break };
            let Poll::Ready(received) = transport.poll_receive(cx) else { break };
            has_some = true;
            match received {
                Some(Ok(received)) => match received.frame {
                    Ok(mut frame) => {
                        let now = *now.get_or_insert_with(|| self.start.elapsed());
                        if let Some(item) = self.connection.receive_item(&mut frame, now) {
                            self.item(item);
                        } else {
                            self.connection.receive_of_len(frame, received.len, now);
                        }
                    }
                    Err(_) => self.connection.fail("what was received is no frame"),
                },
                Some(Err(_)) | None => self.lost(),
            }
            self.events();
        }
        has_some
    }

    /// Hands frames to the transport. Returns whether there was one.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_some = false;
        let Some(transport) = &mut self.transport else { return false };
        self.is_drained = false;
        let mut is_lost = false;
        while let Poll::Ready(ready) = transport.poll_ready(cx) {
            let Some(frame) = self.connection.poll_frame() else {
                self.is_drained = true;
                break;
            };
            has_some = true;
            if ready.and_then(|()| transport.send(frame)).is_err() {
                is_lost = true;
                break;
            }
        }
        if is_lost {
            self.lost();
        }
        // Those that were sent may be the last of their streams.
        self.events();
        has_some
    }

    /// Has the transport write what it holds. Returns whether it is lost.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(transport) = &mut self.transport else { return false };
        let is_lost = matches!(transport.poll_flush(cx), Poll::Ready(Err(_)));
        if is_lost {
            self.lost();
            self.events();
        }
        is_lost
    }

    /// The transport is gone.
    fn lost(&mut self) {
        self.connection.tick(self.start.elapsed());
        self.connection.lost();
    }

    /// Tells the protocol the time when it is due. Returns whether it was.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> bool {
        let was_over = self.ends_at.is_some();
        let due = match self.ends_at {
            Some(end) => end,
            None => match self.connection.deadline() {
                Some(due) => self.start + due,
                None => return false,
            },
        };
        // Each frame that comes makes it later, for which the timer is not set again each time.
        if self.timer.deadline() > due {
            self.timer.as_mut().reset(due);
        }
        let mut is_due = self.timer.as_mut().poll(cx).is_ready();
        if is_due && self.timer.deadline() < due {
            self.timer.as_mut().reset(due);
            is_due = self.timer.as_mut().poll(cx).is_ready();
        }
        if is_due {
            self.connection.tick(self.start.elapsed());
            self.events();
        }
        is_due && !was_over
    }

    /// Whether the task has nothing left to do: the last frames were written, or took too long.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(end) = self.ends_at else { return Poll::Pending };
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.discard(command);
        }
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        match &mut self.transport {
            Some(transport) if self.is_drained => transport.poll_close(cx).map(drop),
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        }
    }
}

impl<T: Transport> Future for Driver<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        for n in 1..=ROUNDS {
            let mut is_busy = this.poll_read(cx);
            is_busy |= this.ends_at.is_none() && this.poll_commands(cx);
            is_busy |= this.ends_at.is_none() && this.poll_returning(cx);
            is_busy |= this.poll_write(cx);
            is_busy |= this.ask_waiting();
            is_busy |= this.poll_time(cx);
            if this.ends_at.is_some() && this.poll_end(cx).is_ready() {
                return Poll::Ready(());
            }
            if !is_busy || n % FLUSH == 0 {
                is_busy |= this.poll_flush(cx);
            }
            if !is_busy {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<T> Unpin for Driver<T> {}

/// The runtime has gone away, or the task is over.
impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        self.link.close(crate::proto::Closed::Lost);
        self.fail_all();
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.discard(command);
        }
    }
}
