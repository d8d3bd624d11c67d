//! Two ends in one process, between which frames move without a copy.

use std::{
    fmt, io,
    task::{Context, Poll},
};

use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use super::{Received, Transport};
use crate::frame::Frame;

/// How many frames are on their way each way.
const FRAMES: usize = 64;

/// One end.
pub struct Memory {
    sender: PollSender<Frame>,
    receiver: mpsc::Receiver<Frame>,
}

/// The two ends of a connection within this process. Up to 64 frames are on their way each way.
#[must_use]
pub fn pair() -> (Memory, Memory) {
    let (up, from_client) = mpsc::channel(FRAMES);
    let (down, from_server) = mpsc::channel(FRAMES);
    let client = Memory { sender: PollSender::new(up), receiver: from_server };
    (client, Memory { sender: PollSender::new(down), receiver: from_client })
}

impl Transport for Memory {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Received>>> {
        self.receiver.poll_recv(cx).map(|frame| {
            frame.map(|frame| Ok(Received { len: frame.encoded_len(), frame: Ok(frame) }))
        })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_reserve(cx).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn send(&mut self, frame: Frame) -> io::Result<()> {
        self.sender.send_item(frame).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.close();
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}
