//! WebSocket: a binary message for each frame, without a length before it.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use futures_core::Stream as _;
use futures_sink::Sink as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config, client_async_with_config,
    tungstenite::{Error, Message, http::Uri, protocol::WebSocketConfig},
};

use super::{Received, Transport, tcp, within};
use crate::frame::{DecodeError, Frame, MAX_FRAME};

/// How much is held to be written, and beyond which there is no room.
const WRITE: usize = 64 * 1024;
/// How much is read at a time.
const READ: usize = 16 * 1024;

/// A transport over WebSocket, on any reader and writer that keeps the order of bytes.
///
/// It holds up to 64 KiB and a frame that wait to be written. A peer that announces a long frame
/// has it reserved before it comes: up to 16 MiB.
pub struct WebSocket<S> {
    stream: WebSocketStream<S>,
}

/// Connects to a URL such as `ws://localhost:7000/path`.
///
/// # Errors
///
/// Of kind `InvalidInput` if `url` is none of WebSocket without TLS; if nobody accepts there; as
/// [`upgrade`].
pub async fn connect(url: &str) -> io::Result<WebSocket<TcpStream>> {
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("{url}: {why}"));
    let uri: Uri = url.parse().map_err(|_| invalid("no URL"))?;
    if uri.scheme_str() != Some("ws") {
        return Err(invalid("only ws:// is connected to; `upgrade` takes a stream of TLS"));
    }
    let host = uri.host().ok_or_else(|| invalid("no host"))?;
    // An IPv6 address stands in brackets, which are no part of it.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await?;
    tcp::prepare(&socket)?;
    upgrade(socket, url).await
}

/// Makes a connection one of WebSocket, as its client. `url` says what is asked of the server.
///
/// # Errors
///
/// If the server refuses, or does not answer within 10 s.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    url: &str,
) -> io::Result<WebSocket<S>> {
    let shaking =
        async { client_async_with_config(url, stream, Some(config())).await.map_err(failed) };
    let (stream, _) = within(shaking).await?;
    Ok(WebSocket { stream })
}

/// The transport of a connection that was accepted, whatever its path.
///
/// # Errors
///
/// If the client does not speak WebSocket, or says nothing for 10 s.
pub async fn accepted<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
) -> io::Result<WebSocket<S>> {
    let shaking = async { accept_async_with_config(stream, Some(config())).await.map_err(failed) };
    Ok(WebSocket { stream: within(shaking).await? })
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(WRITE)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
}

fn failed(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for WebSocket<S> {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Received>>> {
        loop {
            let message = ready!(Pin::new(&mut self.stream).poll_next(cx));
            return Poll::Ready(match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let len = bytes.len();
                    Some(Ok(Received { frame: Frame::decode(bytes), len }))
                }
                Some(Ok(Message::Text(text))) => {
                    Some(Ok(Received { frame: Err(DecodeError::Text), len: text.len() }))
                }
                // Pings are answered by the library, and after a close nothing comes.
                Some(Ok(_)) => continue,
                Some(Err(error)) => Some(Err(failed(error))),
                None => None,
            });
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_ready(cx).map_err(failed)
    }

    fn send(&mut self, frame: Frame) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        frame
            .encode(&mut bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Pin::new(&mut self.stream).start_send(Message::Binary(bytes.freeze())).map_err(failed)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(failed)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx).map_err(failed)
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").finish_non_exhaustive()
    }
}
