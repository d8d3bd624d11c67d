//! How connections begin, live and end.

use std::time::Duration;

use bytes::Bytes;

use super::{Closed, Connection, Event, Role, Stage, lease::Lease};
use crate::{
    ErrorCode,
    frame::{Body, Frame, Setup, VERSION},
};

impl Connection {
    pub(super) fn start_client(&mut self, setup: Setup) {
        if setup.lease {
            self.lease_received = Some(Lease::default());
            self.lease_granted = Some(Lease::default());
        }
        self.keep_alive_at = self.now + Duration::from_millis(setup.keep_alive_ms.into());
        self.config.keep_alive = Duration::from_millis(setup.keep_alive_ms.into());
        self.max_lifetime = Duration::from_millis(setup.max_lifetime_ms.into());
        self.start_session(setup.resume_token.as_ref());
        self.control.push_back(Frame::new(0, Body::Setup(Box::new(setup))));
    }

    /// A SETUP has come to a server that waits for it.
    pub(super) fn received_setup(&mut self, setup: Box<Setup>) {
        if setup.version.0 != VERSION.0 {
            return self.refuse(ErrorCode::UNSUPPORTED_SETUP, "the version is not 1.0");
        }
        if setup.keep_alive_ms == 0 || setup.max_lifetime_ms == 0 {
            return self.refuse(ErrorCode::INVALID_SETUP, "a time of 0");
        }
        if setup.resume_token.is_some() && !self.config.resume {
            return self.refuse(ErrorCode::REJECTED_SETUP, "there is no resumption here");
        }
        if setup.lease && !self.config.lease {
            return self.refuse(ErrorCode::UNSUPPORTED_SETUP, "there are no leases here");
        }
        self.events.push_back(Event::Setup(setup));
    }

    /// Lets the client in whose SETUP has come.
    pub fn accept(&mut self, setup: &Setup) {
        if self.stage != Stage::Waiting {
            return;
        }
        self.stage = Stage::Open;
        self.max_lifetime = Duration::from_millis(setup.max_lifetime_ms.into());
        self.start_session(setup.resume_token.as_ref());
        if setup.lease {
            self.lease_received = Some(Lease::default());
            self.lease_granted = Some(Lease::default());
        }
    }

    /// Refuses the client whose SETUP or RESUME has come: the connection is over.
    pub fn reject(&mut self, code: ErrorCode, message: impl Into<Bytes>) {
        if self.stage == Stage::Waiting {
            let error = Frame::error(0, code, message);
            self.end(Closed::Violation(code, "the client was refused"), Some(error));
        }
    }

    /// Ends the connection after its streams: no more are opened, on either side.
    pub fn close(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Closing;
            let why = "the connection ends with its streams";
            self.control.push_back(Frame::error(0, ErrorCode::CONNECTION_CLOSE, why));
            self.close_if_done();
        }
    }

    /// Ends the connection if it waits for its streams, and there are none.
    pub(super) fn close_if_done(&mut self) {
        if self.stage == Stage::Closing && self.streams.is_empty() {
            self.end(Closed::Normally, None);
        }
    }

    /// Tells the time. Call it when [`deadline`](Self::deadline) has passed, and before the other
    /// methods, as far as they need it.
    pub fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
        let silent = self.now.saturating_sub(self.heard);
        match self.stage {
            Stage::Closed => {}
            Stage::Waiting if silent >= self.config.setup_timeout => {
                self.refuse(ErrorCode::INVALID_SETUP, "no SETUP came in time");
            }
            Stage::Waiting => {}
            _ if self.session_deadline().is_some_and(|due| self.now < due) => {}
            _ if self.session_deadline().is_some() => self.session_is_due(),
            // A peer that is silent may come back.
            _ if silent >= self.max_lifetime && self.session.is_some() => self.suspend(),
            _ if silent >= self.max_lifetime => {
                let why = "no sign of life in time";
                let error = Frame::error(0, ErrorCode::CONNECTION_ERROR, why);
                self.end(Closed::KeepAlive, Some(error));
            }
            _ if self.role == Role::Client && self.now >= self.keep_alive_at => {
                self.keep_alive_at = self.now + self.config.keep_alive;
                self.keep_alive();
            }
            _ => {}
        }
    }

    /// Queues a KEEPALIVE, unless one waits already.
    fn keep_alive(&mut self) {
        let is_ours = |frame: &Frame| matches!(frame.body, Body::KeepAlive { respond: true, .. });
        if !self.control.iter().any(is_ours) {
            let data = Bytes::new();
            let body = Body::KeepAlive { respond: true, position: 0, data };
            self.control.push_back(Frame::new(0, body));
        }
    }

    /// When the time has to be told again; `None` if never.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match self.stage {
            Stage::Closed => None,
            Stage::Waiting => Some(self.heard + self.config.setup_timeout),
            _ if self.session_deadline().is_some() => self.session_deadline(),
            _ => {
                let dead = self.heard + self.max_lifetime;
                let is_client = self.role == Role::Client;
                Some(if is_client { dead.min(self.keep_alive_at) } else { dead })
            }
        }
    }

    /// The peer has done what it must not: it is told so, and the connection is over.
    pub(super) fn refuse(&mut self, code: ErrorCode, why: &'static str) {
        self.end(Closed::Violation(code, why), Some(Frame::error(0, code, why)));
    }

    /// Ends the connection because its peer broke a rule that is not of a frame's layout, such as
    /// one that its transport found out: the peer is told by CONNECTION_ERROR.
    pub fn fail(&mut self, why: &'static str) {
        self.refuse(ErrorCode::CONNECTION_ERROR, why);
    }

    pub(super) fn end(&mut self, why: Closed, last_words: Option<Frame>) {
        if self.is_closed() {
            return;
        }
        self.stage = Stage::Closed;
        self.streams.clear();
        self.n_theirs = 0;
        self.ready.clear();
        self.grants.clear();
        self.queued = 0;
        self.reassembling = 0;
        self.session = None;
        self.control.extend(last_words);
        self.events.push_back(Event::Closed(why));
    }
}
