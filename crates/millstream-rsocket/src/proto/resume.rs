//! Sessions: connections that outlive their transports.
//!
//! ```text
//!      the transport ends          a new one: RESUME            RESUME_OK
//!  Up ───────────────────▶ Away ────────────────────▶ Asking ─────────────▶ Up     (a client)
//!                           │       RESUME comes                            ▲
//!                           └───────────────────────────────────────────────┘      (a server)
//!       Away or Asking for longer than `resume_for`: the connection is lost
//! ```
//!
//! Frames of streams have positions: each side counts their bytes, as they go out and as they come.
//! A frame that has gone out is kept until the peer says that it has received it, by the position
//! in a KEEPALIVE, in RESUME or in RESUME_OK.
//!
//! # The bound
//!
//! No more than [`resume_buffer`](super::Config::resume_buffer) bytes are kept, and never less than
//! one frame: when half of them are, the peer is asked by a KEEPALIVE how far it has received, and
//! when all of them are, no frame of a stream goes out before its answer. So nothing is ever
//! forgotten that the peer may ask for, and a session can be resumed for as long as it lives. A
//! peer that answers and has received nothing of it is cut off.
//!
//! Refusals may take as many bytes again. Without that a peer whose requests are refused would not
//! be read any more for its refusals, and so the position that makes room for them would never be
//! seen. When that room is full as well, and the refusals that wait are as many as a driver reads
//! on for, the peer is cut off: nothing that it could say would be read.

use std::{collections::VecDeque, time::Duration};

use bytes::{Buf, Bytes};

use super::{Closed, Connection, Event, Role, Stage};
use crate::{
    ErrorCode,
    frame::{Body, Frame, Resume, VERSION},
};

/// Where the way to the peer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// There is a transport.
    Up,
    /// There is none.
    Away,
    /// There is one, by which a client has sent RESUME.
    Asking,
}

/// What a connection knows that may be resumed.
#[derive(Debug)]
pub(super) struct Session {
    token: Bytes,
    way: Way,
    /// When it is given up, unless it is up.
    until: Duration,
    /// What goes out before everything else on a new transport.
    greeting: Option<Frame>,
    /// The position behind the last frame that went out.
    sent: u64,
    /// The position of the first frame that is kept.
    first: u64,
    /// The frames between them.
    kept: VecDeque<Frame>,
    /// How many of those have gone out on this transport.
    n_out: usize,
    /// The position behind the last frame that has come.
    received: u64,
    /// The peer was asked how far it has received.
    is_asked: bool,
}

impl Session {
    pub(super) fn new(token: Bytes) -> Self {
        Self {
            token,
            way: Way::Up,
            until: Duration::ZERO,
            greeting: None,
            sent: 0,
            first: 0,
            kept: VecDeque::new(),
            n_out: 0,
            received: 0,
            is_asked: false,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.way == Way::Up
    }

    fn is_away(&self) -> bool {
        self.way == Way::Away
    }

    fn n_kept(&self) -> u64 {
        self.sent - self.first
    }

    /// Forgets what the peer has received. Returns whether that can be: whether it was sent.
    fn acknowledge(&mut self, position: u64) -> bool {
        while let Some(frame) = self.kept.front() {
            let end = self.first + frame.encoded_len() as u64;
            if end > position {
                break;
            }
            self.first = end;
            self.kept.pop_front();
            self.n_out = self.n_out.saturating_sub(1);
        }
        position <= self.sent
    }

    /// Forgets what the peer has received, and sends the rest again. Returns whether that can be:
    /// whether the position is between two frames that are kept.
    fn rewind(&mut self, position: u64) -> bool {
        let is_sent = self.acknowledge(position);
        self.n_out = 0;
        is_sent && self.first == position
    }

    fn go(&mut self, way: Way, greeting: Frame) {
        self.way = way;
        self.greeting = Some(greeting);
        self.is_asked = false;
    }
}

/// Whether it counts for positions: a frame of a stream.
fn has_position(frame: &Frame) -> bool {
    frame.stream != 0 && frame.has_position()
}

impl Connection {
    /// Returns whether the connection waits for a new transport, and was not closed.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_away())
    }

    /// How many bytes of frames are kept until the peer says that it has received them.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.n_kept())
    }

    /// The transport is gone. Without resumption the connection is over, and nothing is left to be
    /// sent; otherwise it waits for a new transport, and says so by [`Event::Suspended`].
    pub fn lost(&mut self) {
        if self.is_suspended() {
            return;
        }
        if self.session.is_some() && matches!(self.stage, Stage::Open | Stage::Closing) {
            return self.suspend();
        }
        self.vanish();
    }

    /// The connection is over, and nothing can be said any more.
    fn vanish(&mut self) {
        self.end(Closed::Lost, None);
        self.control.clear();
        self.answers = 0;
    }

    pub(super) fn suspend(&mut self) {
        let Some(session) = &mut self.session else { return };
        if session.is_up() {
            session.until = self.now + self.config.resume_for;
        }
        session.way = Way::Away;
        session.greeting = None;
        // What was about the transport is about the next one no more.
        self.control.retain(|frame| !matches!(frame.body, Body::KeepAlive { .. } | Body::Setup(_)));
        self.answers = self.control.iter().map(super::send::answer_len).sum();
        self.events.push_back(Event::Suspended);
    }

    /// A suspended client has a new transport: it asks to go on where it was.
    pub fn resume(&mut self, now: Duration) {
        self.now = self.now.max(now);
        let Some(session) = &mut self.session else { return };
        if session.is_away() {
            self.heard = self.now;
            let resume = Resume {
                version: VERSION,
                token: session.token.clone(),
                last_received: session.received,
                first_available: session.first,
            };
            session.go(Way::Asking, Frame::new(0, Body::Resume(resume)));
        }
    }

    /// The client of a server has come back on a new transport, and says where it was. If that is
    /// not where this side can go on, the connection ends with REJECTED_RESUME.
    pub fn resumed(&mut self, resume: &Resume, now: Duration) {
        self.now = self.now.max(now);
        let Some(session) = &mut self.session else { return };
        self.heard = self.now;
        let can_go_on = session.rewind(resume.last_received)
            && resume.first_available <= session.received
            && resume.version.0 == VERSION.0;
        session.go(Way::Up, Frame::new(0, Body::ResumeOk { position: session.received }));
        if can_go_on {
            self.events.push_back(Event::Resumed);
        } else {
            self.refuse(ErrorCode::REJECTED_RESUME, "what is missing is not kept");
        }
    }

    /// A client has a frame while it asks to go on.
    pub(super) fn received_greeting(&mut self, frame: Frame) {
        let Some(session) = &mut self.session else { return };
        match frame.body {
            Body::ResumeOk { position } => {
                if !session.rewind(position) {
                    let why = "the server has received what was not sent";
                    return self.refuse(ErrorCode::CONNECTION_ERROR, why);
                }
                session.way = Way::Up;
                self.events.push_back(Event::Resumed);
                self.heard = self.now;
                self.keep_alive_at = self.now + self.config.keep_alive;
            }
            Body::Error { code, data } if frame.stream == 0 => {
                self.end(Closed::ByPeer(code, data), None);
            }
            _ => self.fail("a frame before RESUME_OK"),
        }
    }

    /// Counts a frame that has come. Returns whether it is for this transport.
    pub(super) fn count_received(&mut self, frame: &Frame, len: usize) -> bool {
        let Some(session) = &mut self.session else { return true };
        if has_position(frame) {
            session.received += len as u64;
        }
        session.is_up()
    }

    pub(super) fn is_asking(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.way == Way::Asking)
    }

    /// A KEEPALIVE says how far the peer has received.
    pub(super) fn received_position(&mut self, position: u64, respond: bool, data: &Bytes) {
        let Some(session) = &mut self.session else { return };
        let mut is_right = session.acknowledge(position);
        if !respond && data.len() == 8 {
            // It answers a question of ours, which said how far was sent.
            session.is_asked = false;
            is_right &= position >= (&data[..]).get_u64();
        }
        if is_right {
            self.ask_if_due();
        } else {
            self.fail("a position that is not that of what was sent");
        }
    }

    /// When a session that is not up is to be looked at.
    pub(super) fn session_deadline(&self) -> Option<Duration> {
        let session = self.session.as_ref().filter(|session| !session.is_up())?;
        let dead = self.heard + self.max_lifetime;
        Some(if session.is_away() { session.until } else { session.until.min(dead) })
    }

    /// The time has come that [`session_deadline`](Self::session_deadline) said.
    pub(super) fn session_is_due(&mut self) {
        let is_over = self.session.as_ref().is_some_and(|session| self.now >= session.until);
        if is_over {
            self.vanish();
        } else {
            self.suspend();
        }
    }

    /// The next frame to be sent of a session.
    pub(super) fn poll_session(&mut self) -> Option<Frame> {
        let session = self.session.as_mut()?;
        if let Some(greeting) = session.greeting.take() {
            return Some(greeting);
        }
        if !session.is_up() {
            return None;
        }
        if let Some(frame) = session.kept.get(session.n_out).cloned() {
            session.n_out += 1;
            self.ask_if_due();
            return Some(frame);
        }
        let max = self.config.resume_buffer as u64;
        let n_kept = session.n_kept();
        let mut frame = if n_kept >= max {
            let may_refuse = n_kept < max.saturating_mul(2);
            let may_go = |frame: &Frame| {
                !has_position(frame) || (may_refuse && matches!(frame.body, Body::Error { .. }))
            };
            let at = self.control.iter().position(may_go)?;
            self.pop_control(at)?
        } else {
            self.next_frame()?
        };
        // What ends the connection has ended the session.
        let Some(session) = &mut self.session else { return Some(frame) };
        if let Body::KeepAlive { position, .. } = &mut frame.body {
            *position = session.received;
        }
        if has_position(&frame) {
            session.sent += frame.encoded_len() as u64;
            session.kept.push_back(frame.clone());
            session.n_out = session.kept.len();
            self.ask_if_due();
        }
        Some(frame)
    }

    /// Asks the peer how far it has received, if half of the bound is kept, and all of it is out.
    fn ask_if_due(&mut self) {
        let Some(session) = &mut self.session else { return };
        let is_due = session.n_kept() > self.config.resume_buffer as u64 / 2;
        if is_due && !session.is_asked && session.n_out == session.kept.len() {
            session.is_asked = true;
            let data = session.sent.to_be_bytes().to_vec().into();
            let body = Body::KeepAlive { respond: true, position: 0, data };
            self.control.push_back(Frame::new(0, body));
        }
    }

    /// Returns whether refusals have no room until the peer says what it has received.
    pub(super) fn is_stuck(&self) -> bool {
        let max = (self.config.resume_buffer as u64).saturating_mul(2);
        self.session.as_ref().is_some_and(|session| session.is_up() && session.n_kept() >= max)
    }

    /// A token that a server is asked to remember, if the SETUP has one.
    pub(super) fn start_session(&mut self, token: Option<&Bytes>) {
        debug_assert!(self.session.is_none() || self.role == Role::Server);
        self.session = token.map(|token| Box::new(Session::new(token.clone())));
    }
}
