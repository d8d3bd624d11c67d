//! Items, from their publishers to the transport.

use std::{
    io,
    task::{Context, Poll},
};

use reactive_streams::{Error, ErrorKind};

use super::Driver;
use crate::{Payload, outbound::Inbox, proto::Connection, transport::Transport};

/// Hands an item to the transport, if that has room and nothing waits before it, and queues it
/// otherwise.
fn hand_over<T: Transport>(
    (connection, transport): (&mut Connection, &mut Option<T>),
    cx: &mut Context<'_>,
    id: u32,
    mut item: Payload,
) -> io::Result<()> {
    if let Some(transport) = transport
        && let Poll::Ready(ready) = transport.poll_ready(cx)
    {
        match connection.send_at_once(id, item) {
            Ok(frame) => return ready.and_then(|()| transport.send(frame)),
            Err(same) => item = same,
        }
    }
    connection.send(id, item, false);
    Ok(())
}

impl<T: Transport> Driver<T> {
    /// Sends an item of a publisher, or opens a channel with it.
    pub(super) fn send(&mut self, key: u64, item: Payload, cx: &mut Context<'_>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(outgoing) = &mut entry.outgoing else { return };
        if !outgoing.arrived(item.len()) {
            return self.too_many(key);
        }
        let Some(id) = entry.id else { return self.open(key, item) };
        let way = (&mut self.connection, &mut self.transport);
        let is_lost = hand_over(way, cx, id, item).is_err();
        self.sent(key, id, is_lost);
    }

    /// Sends the items that have come by a queue.
    pub(super) fn send_items(&mut self, key: u64, cx: &mut Context<'_>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        // A channel is opened with the first item, which is not in the queue.
        let (Some(outgoing), Some(id)) = (&mut entry.outgoing, entry.id) else { return };
        let Some(inbox) = &outgoing.inbox else { return };
        inbox.look();
        let mut is_lost = false;
        while let Some(item) = outgoing.inbox.as_mut().and_then(Inbox::pop) {
            if !outgoing.arrived(item.len()) {
                return self.too_many(key);
            }
            let way = (&mut self.connection, &mut self.transport);
            is_lost |= hand_over(way, cx, id, item).is_err();
        }
        self.sent(key, id, is_lost);
    }

    /// A publisher ignores what it was asked for.
    fn too_many(&mut self, key: u64) {
        let why = "the publisher sent more than was requested";
        self.drop_outgoing(key);
        self.sending_ended(key, Some(Error::new(ErrorKind::Overflow, why)));
    }

    /// After items: the publisher is asked for more, or let go.
    fn sent(&mut self, key: u64, id: u32, is_lost: bool) {
        if is_lost {
            self.lost();
        }
        if self.connection.sends(id) {
            self.ask(key);
        } else {
            // A response needs no second item.
            self.drop_outgoing(key);
            self.forget_if_over(key);
        }
    }
}
