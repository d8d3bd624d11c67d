//! Server-sent events (`text/event-stream`, as the WHATWG's HTML standard has them), both ways.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, header};
use millstream::{Error, ErrorKind, Flow, Publisher};
use tokio_util::codec::Decoder;

use crate::FlowBody;

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    data: String,
    name: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
    is_comment: bool,
}

impl Event {
    /// An event with this text, which may have several lines.
    pub fn new(data: impl Into<String>) -> Self {
        Self { data: data.into(), ..Self::default() }
    }

    /// No event: bytes that keep a connection from idling. The other side passes it over.
    pub fn comment(text: impl Into<String>) -> Self {
        Self { data: text.into(), is_comment: true, ..Self::default() }
    }

    /// Names what kind of event it is.
    ///
    /// # Errors
    ///
    /// The name has an end of a line in it: of kind `InvalidData`.
    pub fn named(self, name: impl Into<String>) -> Result<Self, Error> {
        Ok(Self { name: Some(one_line(name.into(), "name")?), ..self })
    }

    /// Gives it an id, which a client that reconnects sends as `Last-Event-ID`.
    ///
    /// # Errors
    ///
    /// The id has an end of a line or a NUL in it: of kind `InvalidData`.
    pub fn with_id(self, id: impl Into<String>) -> Result<Self, Error> {
        Ok(Self { id: Some(one_line(id.into(), "id")?), ..self })
    }

    /// Tells the client how long to wait before it reconnects, in whole milliseconds.
    #[must_use]
    pub fn with_retry(self, delay: Duration) -> Self {
        Self { retry: Some(delay), ..self }
    }

    /// The text.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// What kind of event it is, if it says so.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its id, if it has one of its own.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How long to wait before reconnecting, if it says so.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }
}

fn one_line(text: String, what: &str) -> Result<String, Error> {
    if text.contains(['\r', '\n', '\0']) {
        let message = format!("the {what} of an event is one line: replace ends of lines in it");
        return Err(Error::new(ErrorKind::InvalidData, message));
    }
    Ok(text)
}

impl From<Event> for Bytes {
    /// As it stands in a body.
    fn from(event: Event) -> Self {
        let Event { data, name, id, retry, is_comment } = event;
        let mut text = String::with_capacity(data.len() + 32);
        let mut field = |name: &str, value: &str| {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push('\n');
        };
        if let Some(name) = &name {
            field("event", name);
        }
        if let Some(id) = &id {
            field("id", id);
        }
        if let Some(retry) = retry {
            field("retry", &retry.as_millis().to_string());
        }
        let kind = if is_comment { "" } else { "data" };
        lines(&data).for_each(|line| field(kind, line));
        text.push('\n');
        text.into()
    }
}

/// Lines as the standard ends them: by LF, CR, or both.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// A response whose body is the events of a flow.
///
/// An event is asked for when the peer can be sent to. To keep an idle connection open, put
/// [`keep_alive`](Flow::keep_alive) with an [`Event::comment`] before it.
///
/// ```
/// use http_body_util::BodyExt as _;
/// use millstream_http::sse::{self, Event};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let events = millstream::range(1..3).map(|n| Event::new(n.to_string()));
/// let response = sse::response(events);
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "data: 1\n\ndata: 2\n\n");
/// # Ok::<(), millstream::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn response(flow: Flow<impl Publisher<Item = Event>>) -> Response<FlowBody<Event>> {
    let mut response = Response::new(FlowBody::new(flow));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A decoder of events, for [`Flow::decode`] and [`FlowExt::events`](crate::FlowExt::events).
///
/// What is not UTF-8 is replaced, fields that are not known and comments are passed over, and an
/// event without data or without its end is none, all as the standard says.
#[derive(Debug, Default)]
pub struct EventDecoder {
    /// How far the buffer was searched for the end of an event.
    n_searched: usize,
    /// Whether the line that is searched has a byte.
    has_byte: bool,
    /// The line feed of a CR that ended a line is no line of its own.
    skips_line_feed: bool,
    has_begun: bool,
}

impl EventDecoder {
    /// At the beginning of a body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the event ends that is first in the buffer, if it is there.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(byte) = bytes.get(self.n_searched) {
            self.n_searched += 1;
            let is_second = *byte == b'\n' && std::mem::take(&mut self.skips_line_feed);
            self.skips_line_feed = *byte == b'\r';
            match byte {
                b'\n' if is_second => {}
                b'\r' | b'\n' if self.has_byte => self.has_byte = false,
                b'\r' | b'\n' => return Some(std::mem::take(&mut self.n_searched)),
                _ => self.has_byte = true,
            }
        }
        None
    }
}

impl Decoder for EventDecoder {
    type Item = Event;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Event>> {
        while let Some(end) = self.end(bytes) {
            let block = bytes.split_to(end);
            let mut block = String::from_utf8_lossy(&block);
            if !std::mem::replace(&mut self.has_begun, true) && block.starts_with('\u{feff}') {
                block = block.trim_start_matches('\u{feff}').to_owned().into();
            }
            if let Some(event) = event(&block) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Event>> {
        let event = self.decode(bytes)?;
        if event.is_none() {
            // The rest of one that was not sent whole.
            bytes.clear();
        }
        Ok(event)
    }
}

/// What the lines of an event say, if they have data.
fn event(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut has_data = false;
    for line in lines(block) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut has_data, true) {
                    event.data.push('\n');
                }
                event.data.push_str(value);
            }
            "event" => event.name = Some(value.to_owned()),
            "id" if !value.contains('\0') => event.id = Some(value.to_owned()),
            "retry" => {
                let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
                let millis = value.parse().ok().filter(|_| is_number);
                event.retry = millis.map(Duration::from_millis).or(event.retry);
            }
            _ => {}
        }
    }
    has_data.then_some(event)
}
