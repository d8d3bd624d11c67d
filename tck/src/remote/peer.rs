//! One end of the protocol: calls that wait for their reply, and are nested as in one process.
//!
//! Each line belongs to a thread. The parent's threads have even numbers and the child's odd ones,
//! and the two sides take turns on each: a call is answered by its reply, or by a call that is
//! nested in it and plays on the same thread. Who speaks out of turn lies about order, and is not
//! listened to.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io::{BufRead, Read as _, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use super::message::Message;
use crate::{play::clock, sync::lock};

/// A longer line is none of the protocol's.
const MAX_LINE: u64 = 64 * 1024;
/// So long it may take until the end of a process shows, in milliseconds.
const END_MS: u32 = 5_000;
/// More threads at a time are a flood.
const MAX_THREADS: usize = 2_000;

/// The other side is gone: what was called will not return.
#[derive(Debug)]
pub(super) struct Gone;

/// Which side a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Parent,
    Child,
}

impl Side {
    const fn of(thread: u32) -> Self {
        if thread.is_multiple_of(2) { Self::Parent } else { Self::Child }
    }
}

/// Answers calls and hears notices.
pub(super) trait Answering: Send + Sync {
    /// Does what is called, and gives the reply.
    fn answer(&self, call: &Message) -> Message;
    /// Hears what needs no reply.
    fn hear(&self, notice: &Message);
    /// The other side is gone, for this reason.
    fn lose(&self, reason: &str);
}

/// One end.
pub(super) struct Peer {
    side: Side,
    answering: OnceLock<Arc<dyn Answering>>,
    writer: Mutex<Box<dyn Write + Send>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    threads: HashMap<u32, Thread>,
    /// Numbers of ours that are free again.
    free: Vec<u32>,
    next: u32,
    gone: bool,
}

/// A thread, of either side, that this side has a counterpart for.
struct Thread {
    mailbox: Sender<Message>,
    /// Who has made the calls that are open, the innermost last.
    open: Vec<Side>,
    turn: Side,
}

thread_local! {
    /// The threads of the protocol that this thread plays.
    static LANES: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
    /// Whether this thread reads what the other side says.
    static READING: Cell<bool> = const { Cell::new(false) };
}

struct Lane {
    peer: Arc<Peer>,
    number: u32,
    mailbox: std::rc::Rc<Receiver<Message>>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut state = lock(&self.peer.state);
        state.threads.remove(&self.number);
        if Side::of(self.number) == self.peer.side {
            state.free.push(self.number);
        }
    }
}

impl Peer {
    pub(super) fn new(side: Side, writer: impl Write + Send + 'static) -> Arc<Self> {
        let next = if side == Side::Parent { 0 } else { 1 };
        Arc::new(Self {
            side,
            answering: OnceLock::new(),
            writer: Mutex::new(Box::new(writer)),
            state: Mutex::new(State { next, ..State::default() }),
        })
    }

    /// Says who answers calls; once, and before [`read`](Self::read).
    pub(super) fn answer_by(&self, answering: Arc<dyn Answering>) {
        drop(self.answering.set(answering));
    }

    /// Calls the other side, and answers what it calls meanwhile on this thread.
    pub(super) fn call(self: &Arc<Self>, message: Message) -> Result<Message, Gone> {
        let (number, mailbox) = self.lane()?;
        if self.say(number, message).is_err() {
            self.await_end();
            return Err(Gone);
        }
        loop {
            let heard = mailbox.recv().map_err(|_| Gone)?;
            if heard.reply.is_some() {
                return Ok(heard);
            }
            self.serve(number, &heard);
        }
    }

    /// Says something that needs no reply.
    pub(super) fn notify(&self, message: &Message) {
        // Who is gone needs no notice.
        let _gone = self.write(message);
    }

    /// Writes a line.
    pub(super) fn write(&self, message: &impl serde::Serialize) -> Result<(), Gone> {
        let mut line = serde_json::to_vec(message).map_err(|_| Gone)?;
        line.push(b'\n');
        let mut writer = lock(&self.writer);
        writer.write_all(&line).and_then(|()| writer.flush()).map_err(|_| Gone)
    }

    /// Hears no more of the other side: whoever waits for it is told that it is gone.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.gone = true;
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        drop(threads);
    }

    pub(super) fn is_gone(&self) -> bool {
        lock(&self.state).gone
    }

    /// Reads lines until the other side is gone, and says why it is.
    pub(super) fn read(self: &Arc<Self>, input: &mut impl BufRead) {
        READING.set(true);
        let reason = loop {
            match read_line(input) {
                Ok(Some(message)) => {
                    if let Err(reason) = self.take(message) {
                        break reason;
                    }
                }
                Ok(None) => break String::new(),
                Err(reason) => break reason,
            }
        };
        if let Some(answering) = self.answering.get() {
            answering.lose(&reason);
        }
        self.close();
    }

    fn take(self: &Arc<Self>, message: Message) -> Result<(), String> {
        if message.notice.is_some() {
            if let Some(answering) = self.answering.get() {
                answering.hear(&message);
            }
            return Ok(());
        }
        let Some(number) = message.thread else {
            return Err(format!("a line without `thread` and `notice`: {}", show(&message)));
        };
        let mut state = lock(&self.state);
        if state.gone {
            return Ok(());
        }
        if !state.threads.contains_key(&number) {
            if Side::of(number) == self.side {
                return Err(format!(
                    "it spoke on thread {number}, which is ours and waits for nothing"
                ));
            }
            if state.threads.len() >= MAX_THREADS {
                return Err(format!("it has more than {MAX_THREADS} threads"));
            }
            let thread = self.spawn(number);
            state.threads.insert(number, thread);
        }
        let Some(thread) = state.threads.get_mut(&number) else { return Ok(()) };
        let other = Side::of(number);
        if thread.turn == self.side {
            return Err(format!("it spoke on thread {number} out of turn: {}", show(&message)));
        }
        match (message.call, message.reply) {
            (Some(_), None) => {
                let them = if self.side == Side::Parent { Side::Child } else { Side::Parent };
                thread.open.push(them);
            }
            (None, Some(_)) if thread.open.last() == Some(&self.side) => {
                thread.open.pop();
            }
            (None, Some(_)) => {
                return Err(format!("it replied on thread {number}, where nothing was called"));
            }
            _ => return Err(format!("a line is either a call or a reply: {}", show(&message))),
        }
        // After the reply to its outermost call, a thread belongs to its own side again.
        thread.turn = if thread.open.is_empty() { other } else { self.side };
        // Whoever left does not want it any more.
        let _gone = thread.mailbox.send(message);
        Ok(())
    }

    /// Makes the counterpart of a thread of the other side.
    fn spawn(self: &Arc<Self>, number: u32) -> Thread {
        let (mailbox, receiver) = mpsc::channel();
        let peer = Arc::clone(self);
        clock::spawn(move || {
            let mailbox = std::rc::Rc::new(receiver);
            let lane =
                Lane { peer: Arc::clone(&peer), number, mailbox: std::rc::Rc::clone(&mailbox) };
            LANES.with_borrow_mut(|lanes| lanes.push(lane));
            while let Ok(message) = mailbox.recv() {
                peer.serve(number, &message);
            }
            LANES.with_borrow_mut(Vec::clear);
        });
        Thread { mailbox, open: Vec::new(), turn: Side::of(number) }
    }

    /// The thread of the protocol that this thread plays.
    fn lane(self: &Arc<Self>) -> Result<(u32, std::rc::Rc<Receiver<Message>>), Gone> {
        let known = LANES.with_borrow(|lanes| {
            let lane = lanes.iter().find(|lane| Arc::ptr_eq(&lane.peer, self))?;
            Some((lane.number, std::rc::Rc::clone(&lane.mailbox)))
        });
        if let Some(known) = known {
            return if self.is_gone() { Err(Gone) } else { Ok(known) };
        }
        let (mailbox, receiver) = mpsc::channel();
        let mut state = lock(&self.state);
        if state.gone {
            return Err(Gone);
        }
        let number = state.free.pop().unwrap_or_else(|| {
            let number = state.next;
            state.next += 2;
            number
        });
        state.threads.insert(number, Thread { mailbox, open: Vec::new(), turn: self.side });
        drop(state);
        let mailbox = std::rc::Rc::new(receiver);
        let lane = Lane { peer: Arc::clone(self), number, mailbox: std::rc::Rc::clone(&mailbox) };
        LANES.with_borrow_mut(|lanes| {
            // Those of other sides that are gone are of no use.
            lanes.retain(|lane| !lane.peer.is_gone());
            lanes.push(lane);
        });
        Ok((number, mailbox))
    }

    /// Says something on a thread, whose turn is then the other side's.
    fn say(&self, number: u32, message: Message) -> Result<(), Gone> {
        let mut state = lock(&self.state);
        let thread = state.threads.get_mut(&number).ok_or(Gone)?;
        if message.call.is_some() {
            thread.open.push(self.side);
        } else {
            thread.open.pop();
        }
        let them = if self.side == Side::Parent { Side::Child } else { Side::Parent };
        thread.turn = if thread.open.is_empty() { Side::of(number) } else { them };
        drop(state);
        self.write(&Message { thread: Some(number), ..message })
    }

    /// Who cannot be written to has ended, or is about to: the reader says why, and is waited for,
    /// so that nothing is judged before that is known.
    fn await_end(&self) {
        if is_reading() {
            return;
        }
        for _ in 0..END_MS {
            if self.is_gone() {
                return;
            }
            clock::pause(Duration::from_millis(1));
        }
        if let Some(answering) = self.answering.get() {
            answering.lose("it does not read what it is told");
        }
        self.close();
    }

    fn serve(&self, number: u32, call: &Message) {
        let reply = self.answering.get().map_or_else(Message::returned, |answering| {
            let answered = catch_unwind(AssertUnwindSafe(|| answering.answer(call)));
            answered.unwrap_or_else(|panic| Message::threw(words(panic.as_ref())))
        });
        let _gone = self.say(number, reply);
    }
}

/// Whether this thread reads what another process says.
pub(super) fn is_reading() -> bool {
    READING.get()
}

/// What a panic says.
pub(super) fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic").to_owned()
}

fn show(message: &Message) -> String {
    serde_json::to_string(message).unwrap_or_default()
}

/// Reads one line as `T`; `None` at the end.
pub(super) fn read_line<T: serde::de::DeserializeOwned>(
    input: &mut impl BufRead,
) -> Result<Option<T>, String> {
    let mut line = Vec::new();
    let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
    read.map_err(|error| format!("it could not be read: {error}"))?;
    if line.is_empty() {
        return Ok(None);
    }
    let shown = || {
        let text = String::from_utf8_lossy(&line[..line.len().min(200)]).trim_end().to_owned();
        format!("`{text}`")
    };
    if line.last() != Some(&b'\n') {
        return Err(if line.len() as u64 >= MAX_LINE {
            format!("it wrote a line of more than {MAX_LINE} bytes, which begins with {}", shown())
        } else {
            format!("it ended within a line: {}", shown())
        });
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| {
        format!("it wrote {}, which is no message of the protocol: {error}", shown())
    })
}
