//! What the server answers.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_core::Stream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{
    access::{Access, random},
    assets,
    controls::Controls,
    feed::{Feed, json},
};
use crate::{Health, Place, StallReport};

pub(super) struct Shared {
    pub(super) feed: Arc<Feed>,
    pub(super) access: Access,
    pub(super) controls: Controls,
    pub(super) health: Health,
    pub(super) interval: Duration,
    pub(super) stopped: watch::Receiver<bool>,
    /// Answers no browser, and shows no more than counters.
    pub(super) is_for_machines: bool,
}

/// The most bytes of a request that are read.
const MAX_BODY: usize = 1024;

pub(super) fn of(shared: Shared) -> Router {
    let shared = Arc::new(shared);
    let probes = shared.health.service();
    let routes =
        Router::new().route_service("/livez", probes.clone()).route_service("/readyz", probes);
    let routes = if shared.is_for_machines {
        routes
    } else {
        routes
            .route("/", get(document))
            .route("/events", get(events))
            .route("/snapshot.json", get(snapshot))
            .route("/describe", get(describe))
            .route("/describe.mmd", get(mermaid))
            .route("/describe.svg", get(picture))
            .route("/flight.json", get(flight))
            .route("/flight/{flow}/{stage}", get(flight_of))
            .route("/flight.txt", get(marbles))
            .route("/flight.svg", get(flight_picture))
            .route("/flight.trace.json", get(trace))
            .route("/stalls", get(stalls))
            .route("/controls/{id}", post(control))
    };
    #[cfg(feature = "metrics")]
    let routes = routes.route("/metrics", get(metrics));
    routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), checked))
        .with_state(shared)
}

/// Only those who call this server by its name are answered, and nothing is kept by browsers.
async fn checked(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if !shared.access.is_host(request.headers()) {
        let text = "this name is not one of this page's: call it by its address, or use \
                    `allow_host`\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn document(State(shared): State<Arc<Shared>>) -> Response {
    let Ok(nonce) = random() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let token = shared.access.token_of_page().filter(|_| !shared.controls.is_empty());
    let controls: Vec<_> = shared.controls.iter().collect();
    let name = shared.feed.inventory().name();
    let html = assets::document(&nonce, name, token, &json(&controls));
    let policy = assets::content_security_policy(&nonce);
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

async fn snapshot(State(shared): State<Arc<Shared>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, JSON),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"millstream-snapshot.json\""),
    ];
    (headers, json(&*shared.feed.view())).into_response()
}

async fn describe(State(shared): State<Arc<Shared>>) -> String {
    shared.feed.inventory().describe().to_string()
}

async fn mermaid(State(shared): State<Arc<Shared>>) -> String {
    shared.feed.inventory().describe().to_mermaid()
}

const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

async fn picture(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, SVG)], shared.feed.inventory().describe().to_svg()).into_response()
}

async fn flight(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, JSON)], json(&shared.feed.inventory().flight())).into_response()
}

/// The last signals of a stage alone; `null` where nothing is recorded.
async fn flight_of(
    State(shared): State<Arc<Shared>>,
    Path((flow, stage)): Path<(String, String)>,
) -> Response {
    let flight = shared.feed.inventory().flight_of(&Place::Stage { flow, stage });
    ([(header::CONTENT_TYPE, JSON)], json(&flight)).into_response()
}

async fn marbles(State(shared): State<Arc<Shared>>) -> String {
    shared.feed.inventory().flight().to_marbles()
}

async fn flight_picture(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, SVG)], shared.feed.inventory().flight().to_svg()).into_response()
}

async fn trace(State(shared): State<Arc<Shared>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, JSON),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"millstream-trace.json\""),
    ];
    (headers, shared.feed.inventory().flight().to_chrome_trace()).into_response()
}

async fn stalls(State(shared): State<Arc<Shared>>) -> String {
    StallReport::of(&shared.feed.view().snapshot).to_string()
}

#[cfg(feature = "metrics")]
async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let headers = [(header::CONTENT_TYPE, crate::metrics::CONTENT_TYPE)];
    (headers, crate::metrics::text(shared.feed.inventory())).into_response()
}

async fn control(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !shared.access.may_control(&headers) {
        let text = "the token is missing or wrong, or another site has called\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let text = String::from_utf8_lossy(&body);
    let value = match text.trim() {
        "" => None,
        number => match number.parse() {
            Ok(value) => Some(value),
            Err(_) => return (StatusCode::BAD_REQUEST, "the value is no number\n").into_response(),
        },
    };
    let apply = match shared.controls.find(&id, value) {
        Ok(apply) => apply,
        Err(text) => return (StatusCode::BAD_REQUEST, text).into_response(),
    };
    match tokio::task::spawn_blocking(apply).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(text)) => (StatusCode::CONFLICT, text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the control panicked\n").into_response(),
    }
}

async fn events(State(shared): State<Arc<Shared>>) -> Response {
    let Some((hello, frames, place)) = shared.feed.subscribe(shared.interval) else {
        let headers = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, "too many browsers\n").into_response();
    };
    let frames = Frames {
        first: Some(hello),
        next: Box::pin(next(frames, shared.stopped.clone())),
        _place: place,
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(frames)).into_response()
}

type Receiver = watch::Receiver<Arc<str>>;
type Latest =
    Pin<Box<dyn Future<Output = Option<(Arc<str>, Receiver, watch::Receiver<bool>)>> + Send>>;

/// The frames for one browser. The next is looked for when the one before has been taken, and is
/// the latest then.
struct Frames {
    first: Option<String>,
    next: Latest,
    _place: OwnedSemaphorePermit,
}

/// The latest frame once there is another; none when the server stops.
async fn next(
    mut frames: Receiver,
    mut stopped: watch::Receiver<bool>,
) -> Option<(Arc<str>, Receiver, watch::Receiver<bool>)> {
    tokio::select! {
        changed = frames.changed() => changed.ok()?,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => return None,
    }
    let frame = Arc::clone(&frames.borrow_and_update());
    Some((frame, frames, stopped))
}

impl Stream for Frames {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if let Some(hello) = self.first.take() {
            let text = format!("retry: 1000\nevent: hello\ndata: {hello}\n\n");
            return Poll::Ready(Some(Ok(text.into())));
        }
        let Poll::Ready(latest) = self.next.as_mut().poll(cx) else { return Poll::Pending };
        let frame = latest.map(|(frame, frames, stopped)| {
            self.next = Box::pin(next(frames, stopped));
            // JSON has no line breaks of its own.
            Ok(format!("event: frame\ndata: {frame}\n\n").into())
        });
        Poll::Ready(frame)
    }
}
