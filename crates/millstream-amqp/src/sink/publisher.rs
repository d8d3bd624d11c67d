//! One channel in confirm mode, and the task that publishes on it.
//!
//! The client gives a message that is returned to the next confirmation that it completes, which
//! may be that of another message: of several that are confirmed at one go, in any order. One task
//! looks at all of them, and finds out whose it is. By the time at which a confirmation is
//! complete, so is the one that has its message, and so all that are complete are looked at before
//! the first of them is answered.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use lapin::{
    Channel, Confirmation,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use millstream::Error;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::message::Message;
use crate::{
    error::{Doing, told},
    link::{Link, close},
};

/// What became of a message.
pub(super) enum Answer {
    Confirmed,
    Refused,
    /// No queue has taken it.
    Returned,
    /// The channel is over.
    Failed(lapin::Error),
}

struct Request {
    message: Arc<Message>,
    answer: oneshot::Sender<Answer>,
}

/// The present channel of a sink.
pub(super) struct Publishers {
    link: Arc<Link>,
    is_mandatory: bool,
    present: Mutex<Option<Present>>,
    /// One at a time opens a channel.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Present {
    channel: Channel,
    /// As many wait here as the sink has on their way at most.
    requests: mpsc::UnboundedSender<Request>,
}

impl Publishers {
    pub(super) fn new(link: &Arc<Link>, is_mandatory: bool) -> Self {
        Self {
            link: Arc::clone(link),
            is_mandatory,
            present: Mutex::new(None),
            opening: tokio::sync::Mutex::new(()),
        }
    }

    /// Publishes a message by the present channel, or by a new one.
    pub(super) async fn publish(&self, message: &Arc<Message>) -> Result<Answer, Error> {
        // With a channel that is open, nothing is waited for until the message is on its way.
        let present = self.present();
        let requests = match present {
            Some(requests) => requests,
            None => self.open().await?,
        };
        let (answer, answered) = oneshot::channel();
        let lost = || Answer::Failed(lapin::ErrorKind::FutureCompleted.into());
        if requests.send(Request { message: Arc::clone(message), answer }).is_err() {
            return Ok(lost());
        }
        Ok(answered.await.unwrap_or_else(|_| lost()))
    }

    fn present(&self) -> Option<mpsc::UnboundedSender<Request>> {
        let present = self.present.lock();
        let open = present.as_ref().filter(|present| present.channel.status().connected());
        open.map(|present| present.requests.clone())
    }

    async fn open(&self) -> Result<mpsc::UnboundedSender<Request>, Error> {
        let _one = self.opening.lock().await;
        if let Some(requests) = self.present() {
            return Ok(requests);
        }
        let channel = self.link.channel().await?;
        let selecting = channel.confirm_select(ConfirmSelectOptions::default());
        told(self.link.patience(), Doing::Channel, selecting).await?;
        let (requests, receiver) = mpsc::unbounded_channel();
        let publishing = publish(channel.clone(), receiver, self.is_mandatory);
        self.link.runtime.spawn(publishing);
        *self.present.lock() = Some(Present { channel, requests: requests.clone() });
        Ok(requests)
    }
}

/// Publishes what comes, and answers, until nobody can send any more and all is answered.
async fn publish(
    channel: Channel,
    mut requests: mpsc::UnboundedReceiver<Request>,
    is_mandatory: bool,
) {
    let send = async |request: Request| {
        let Message { exchange, routing_key, payload, properties } = &*request.message;
        let publishing = channel.basic_publish(
            exchange.as_str().into(),
            routing_key.as_str().into(),
            BasicPublishOptions { mandatory: is_mandatory, immediate: false },
            payload,
            properties.clone(),
        );
        let result = match publishing.await {
            Ok(confirming) => confirming.await,
            Err(error) => Err(error),
        };
        (request, result)
    };
    let mut open = FuturesUnordered::new();
    let mut returned = Vec::new();
    let mut complete = Vec::new();
    let mut is_over = false;
    while !(is_over && open.is_empty()) {
        tokio::select! {
            request = requests.recv(), if !is_over => match request {
                Some(request) => open.push(send(request)),
                None => is_over = true,
            },
            Some(each) = open.next(), if !open.is_empty() => complete.push(each),
        }
        while let Ok(request) = requests.try_recv() {
            open.push(send(request));
        }
        while let Some(Some(each)) = open.next().now_or_never() {
            complete.push(each);
        }
        for (_, result) in &mut complete {
            if let Ok(Confirmation::Ack(message) | Confirmation::Nack(message)) = result {
                returned.extend(message.take());
            }
        }
        for (Request { message, answer }, result) in complete.drain(..) {
            let answered = match result {
                Err(error) => Answer::Failed(error),
                Ok(_) if take(&mut returned, &message) => Answer::Returned,
                Ok(Confirmation::Nack(_)) => Answer::Refused,
                Ok(Confirmation::Ack(_) | Confirmation::NotRequested) => Answer::Confirmed,
            };
            // It may have given up.
            answer.send(answered).ok();
        }
    }
    close(&channel).await;
}

/// Returns whether this message was returned. Of two that are the same in all that routes them, and
/// in what is in them, it does not matter which.
fn take(returned: &mut Vec<BasicReturnMessage>, message: &Message) -> bool {
    let found = returned.iter().position(|each| {
        each.exchange.as_str() == message.exchange
            && each.routing_key.as_str() == message.routing_key
            && each.data == message.payload
            && each.properties == message.properties
    });
    found.map(|nth| returned.swap_remove(nth)).is_some()
}
