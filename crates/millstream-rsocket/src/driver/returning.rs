//! Connections that outlive their transports: where the next one comes from.

use std::{
    collections::HashMap, future::Future, io, pin::Pin, sync::Arc, task::Context, task::Poll,
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::Driver;
use crate::{ErrorCode, frame::Resume, transport::Transport};

/// The first pause between two attempts to connect, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long an attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);

type Connecting<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Connects anew.
pub(crate) type Connect<T> = Box<dyn FnMut() -> Connecting<T> + Send>;

/// Where the next transport comes from.
pub(crate) enum Returning<T> {
    /// From nowhere.
    Never,
    /// A client connects.
    Client { connect: Connect<T>, attempt: Option<Connecting<T>>, pause: Duration },
    /// The client of a server comes back, once its session is known.
    Server { sessions: Arc<Sessions<T>>, max: usize, known: Option<Known<T>> },
}

/// The sessions of a server, by their tokens.
pub(crate) struct Sessions<T>(Mutex<HashMap<Bytes, mpsc::Sender<(T, Resume)>>>);

/// A session that a client may come back to.
pub(crate) struct Known<T> {
    sessions: Arc<Sessions<T>>,
    token: Bytes,
    returns: mpsc::Receiver<(T, Resume)>,
}

impl<T> Sessions<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    /// Remembers a session; `None` if there is one of this token, or are `max`.
    fn remember(self: &Arc<Self>, token: &Bytes, max: usize) -> Option<Known<T>> {
        let mut sessions = self.0.lock();
        if sessions.len() >= max || sessions.contains_key(token) {
            return None;
        }
        let (sender, returns) = mpsc::channel(1);
        sessions.insert(token.clone(), sender);
        Some(Known { sessions: Arc::clone(self), token: token.clone(), returns })
    }
}

impl<T> Drop for Known<T> {
    fn drop(&mut self) {
        self.sessions.0.lock().remove(&self.token);
    }
}

impl<T> Returning<T> {
    pub(crate) fn client(connect: Connect<T>) -> Self {
        Self::Client { connect, attempt: None, pause: Duration::ZERO }
    }

    pub(crate) fn server(sessions: Arc<Sessions<T>>, max: usize) -> Self {
        Self::Server { sessions, max, known: None }
    }
}

impl<T: Transport> Driver<T> {
    /// Takes the next transport, if the connection needs one. Returns whether there was one.
    pub(super) fn poll_returning(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.start.elapsed();
        match &mut self.returning {
            Returning::Never => return false,
            Returning::Server { known, .. } => {
                let Some(known) = known else { return false };
                let Poll::Ready(Some((transport, resume))) = known.returns.poll_recv(cx) else {
                    return false;
                };
                // The one before may still be there, if its end was not seen.
                self.transport = Some(transport);
                self.connection.resumed(&resume, now);
            }
            Returning::Client { connect, attempt, pause } => {
                if !self.connection.is_suspended() || self.transport.is_some() {
                    return false;
                }
                let current = attempt.get_or_insert_with(|| {
                    let (connecting, wait) = (connect(), jittered(*pause));
                    *pause = (*pause * 2).clamp(PAUSES.0, PAUSES.1);
                    Box::pin(async move {
                        sleep(wait).await;
                        timeout(PATIENCE, connecting).await.unwrap_or_else(|late| Err(late.into()))
                    })
                });
                let Poll::Ready(transport) = current.as_mut().poll(cx) else { return false };
                *attempt = None;
                // A refusal is followed by another attempt, until the session is given up.
                if let Ok(transport) = transport {
                    self.transport = Some(transport);
                    self.connection.resume(now);
                }
            }
        }
        self.events();
        true
    }
}

impl<T> Driver<T> {
    /// A client was let in whose session is to be remembered. Returns whether it is.
    pub(super) fn remember(&mut self, token: &Bytes) -> bool {
        let Returning::Server { sessions, max, known } = &mut self.returning else { return false };
        *known = sessions.remember(token, *max);
        known.is_some()
    }

    /// Gives the transport to the session that a client comes back to. This task is over.
    pub(super) fn hand_over(&mut self, resume: Resume) {
        let session = match &self.returning {
            Returning::Server { sessions, .. } => sessions.0.lock().get(&resume.token).cloned(),
            _ => None,
        };
        if let Some(session) = session
            && let Some(transport) = self.transport.take()
        {
            match session.try_send((transport, resume)) {
                Ok(()) => return self.connection.lost(),
                Err(back) => self.transport = Some(back.into_inner().0),
            }
        }
        self.connection.reject(ErrorCode::REJECTED_RESUME, "there is no such session");
    }

    /// The connection has a transport that works: the next one is looked for at once.
    pub(super) fn has_resumed(&mut self) {
        if let Returning::Client { pause, .. } = &mut self.returning {
            *pause = Duration::ZERO;
        }
    }
}

/// From half of it to all of it, so that clients of one server do not come back together.
fn jittered(pause: Duration) -> Duration {
    let share = getrandom::u32().unwrap_or(u32::MAX);
    pause / 2 + (pause / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
}
