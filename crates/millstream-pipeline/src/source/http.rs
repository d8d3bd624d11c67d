//! The lines of the bodies of requests.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use millstream::{Error, ErrorKind, bridge::from_receiver, scheduler::Worker};
use millstream_pressure::{Acknowledge, Acknowledgement, Settlement};
use parking_lot::Mutex;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{Stream, lines::Texts};
use crate::{
    Answer, HttpSource,
    net::{Connection, Net},
    record::Record,
};

/// How long clients may take to read their last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What became of a line: nothing is wrong, or it is refused for a reason, or was not dealt with.
type Outcome = Result<(), Option<String>>;

/// Tells a request what became of one of its lines.
struct LineAck(oneshot::Sender<Outcome>);

impl Acknowledge for LineAck {
    fn settle(self, settlement: Settlement) {
        let outcome = match settlement {
            Settlement::Ack => Ok(()),
            Settlement::Nack { .. } => Err(None),
            Settlement::Reject { reason } => Err(Some(reason)),
        };
        // The client may be gone.
        self.0.send(outcome).ok();
    }
}

/// A server, until it is told to end.
#[derive(Clone)]
pub(crate) struct Serving(Arc<Mutex<Option<Server>>>);

/// What ends a server, and its end.
type Server = (oneshot::Sender<()>, JoinHandle<()>);

impl Serving {
    /// Takes no more requests, and waits until those that it has were answered.
    pub(crate) async fn told(self) {
        let Some((end, task)) = self.0.lock().take() else { return };
        // It is gone where it could not be started.
        end.send(()).ok();
        tokio::time::timeout(LAST_ANSWERS, task).await.ok();
    }
}

struct Shared {
    spec: HttpSource,
    lines: mpsc::Sender<Record>,
    requests: Semaphore,
    clock: Worker,
    outstanding: Weak<()>,
}

/// Listens, and takes lines for which there is room.
///
/// # Errors
///
/// The port is not free.
pub(super) fn open(spec: &HttpSource, texts: Texts, net: &Net) -> Result<Stream, Error> {
    let address = spec.listen;
    let binding = async move {
        TcpListener::bind(address).await.map_err(|cause| {
            let what = format!("cannot listen on {address}");
            Error::with_source(ErrorKind::Io, "", cause).context(what)
        })
    };
    let listener = net.wait(binding)?;
    if let Ok(address) = listener.local_addr() {
        net.add_listening(&texts.name, address);
    }
    let (lines, receiver) = mpsc::channel(spec.capacity.get());
    let shared = Arc::new(Shared {
        spec: spec.clone(),
        lines,
        requests: Semaphore::new(spec.max_requests.get()),
        clock: texts.clock,
        outstanding: net.outstanding(),
    });
    let routes = Router::new().route(&spec.path, post(take)).with_state(shared);
    let (end, ended) = oneshot::channel::<()>();
    let serving = async move {
        // Also if nobody is left who could say so.
        let is_over = async { drop(ended.await) };
        // It ends as it is told, and only then.
        axum::serve(listener, routes).with_graceful_shutdown(is_over).await.ok();
    };
    let task = net.runtime()?.spawn(serving);
    net.add_connection(Connection::Http(Serving(Arc::new(Mutex::new(Some((end, task)))))));
    Ok(from_receiver(receiver).boxed())
}

async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let Ok(_place) = shared.requests.try_acquire() else { return shared.busy() };
    let limit = usize::try_from(shared.spec.max_body.0).unwrap_or(usize::MAX);
    if content_length(request.headers()).is_some_and(|length| length > shared.spec.max_body.0) {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n").into_response();
    }
    let reading = to_bytes(request.into_body(), limit);
    let body = match tokio::time::timeout(shared.spec.timeout.0, reading).await {
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the body is slow\n").into_response(),
        Ok(Err(_)) => {
            let text = "the body is too large, or broke off\n";
            return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
        }
        Ok(Ok(body)) => body,
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is not UTF-8\n").into_response();
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    if lines.len() > shared.spec.capacity.get() {
        let text = format!("at most {} lines at a time\n", shared.spec.capacity);
        return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    }
    // All or none: a client that sends a part again would send the rest twice.
    let Ok(places) = shared.lines.try_reserve_many(lines.len()) else { return shared.busy() };
    let now = shared.clock.now();
    let mut waiting = Vec::new();
    for (place, line) in places.zip(lines) {
        let record = Record::new(line.into(), now);
        place.send(match shared.spec.answer {
            Answer::Accepted => record,
            Answer::Arrived => {
                let (sender, receiver) = oneshot::channel();
                waiting.push(receiver);
                record.with_receipt(Acknowledgement::new(LineAck(sender)), &shared.outstanding)
            }
        });
    }
    match shared.spec.answer {
        Answer::Accepted => StatusCode::ACCEPTED.into_response(),
        Answer::Arrived => shared.answer(waiting).await,
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Shared {
    /// What became of all lines.
    async fn answer(&self, waiting: Vec<oneshot::Receiver<Outcome>>) -> Response {
        let mut refused = None;
        for line in waiting {
            match line.await {
                Ok(Ok(())) => {}
                Ok(Err(Some(reason))) => refused = refused.or(Some(reason)),
                Ok(Err(None)) | Err(_) => return self.busy(),
            }
        }
        match refused {
            None => StatusCode::OK.into_response(),
            Some(reason) => {
                (StatusCode::UNPROCESSABLE_ENTITY, format!("{reason}\n")).into_response()
            }
        }
    }

    /// There is no room, or no more.
    fn busy(&self) -> Response {
        let wait = self.spec.retry_after.0.max(Duration::from_secs(1));
        let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        response
    }
}
