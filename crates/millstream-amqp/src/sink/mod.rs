//! `Sink`: messages to exchanges and queues, each confirmed.

mod message;
mod publisher;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use millstream::{Error, ErrorKind, Flow, Order, Outcome, Publisher};
use millstream_pressure::{Acknowledge, Delivery, FlowExt as _, Unprocessed};
use tokio::{
    sync::{Semaphore, watch},
    task::unconstrained,
    time::{Instant, sleep},
};

pub use self::message::Publication;
use self::{
    message::Message,
    publisher::{Answer, Publishers},
};
use crate::{
    Amqp, SinkConfig,
    error::{is_final, size_in},
    link::AGAIN,
};

/// How long a delivery whose message was not confirmed waits for the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Publishes messages: a handle, whose clones are the same sink.
#[derive(Clone)]
pub struct Sink {
    amqp: Amqp,
    config: Arc<SinkConfig>,
    in_flight: Arc<Semaphore>,
    publishers: Arc<Publishers>,
}

impl Sink {
    pub(crate) fn new(amqp: &Amqp, config: SinkConfig) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(config.in_flight as usize)),
            publishers: Arc::new(Publishers::new(&amqp.0.publishers, config.mandatory)),
            amqp: amqp.clone(),
            config: Arc::new(config),
        }
    }

    /// Publishes a message, and waits until the broker confirms it: a persistent message of a
    /// durable queue is stored then. Of all callers, no more than
    /// [`in_flight`](SinkConfig::in_flight) messages are on their way. After a connection that was
    /// lost, a message whose confirmation did not come is published again, so that it may be stored
    /// twice. Dropping the future gives up the confirmation, and possibly not the message.
    ///
    /// While the broker has no memory or no disk left, it confirms nothing, and this waits.
    ///
    /// # Errors
    ///
    /// A message that is too large, of kind `Overflow`; a name that is too long for the protocol,
    /// of kind `InvalidData`; an exchange that does not exist or may not be used, a message that no
    /// queue takes, or one that is refused because a queue is full, of kind `Rejected`; no
    /// confirmation in time, of kind `Timeout`, after which the message may be stored or not.
    pub async fn send(&self, publication: Publication) -> Result<(), Error> {
        let message = Arc::new(Message::of(publication, self.config.max_message_size)?);
        let permit = self.in_flight.acquire().await;
        // The one that confirms comes first: a message is sent when its turn has come.
        let result = tokio::select! {
            biased;
            result = self.confirmed(&message) => result,
            () = unblocked_for(self.config.confirm_timeout, self.amqp.0.publishers.blocked()) => {
                let what = format!(
                    "{} was not confirmed within {:?}: it may be stored or not",
                    message.doing(),
                    self.config.confirm_timeout
                );
                Err(Error::new(ErrorKind::Timeout, what))
            }
        };
        drop(permit);
        result
    }

    async fn confirmed(&self, message: &Arc<Message>) -> Result<(), Error> {
        let rejected = |what: &str| {
            Err(Error::new(ErrorKind::Rejected, format!("{} {what}", message.doing())))
        };
        let mut delays = AGAIN.delays();
        loop {
            let error = match self.publishers.publish(message).await {
                Ok(Answer::Confirmed) => return Ok(()),
                Ok(Answer::Refused) => {
                    return rejected("was refused: a queue is full, or could not store it");
                }
                Ok(Answer::Returned) => {
                    return rejected(
                        "is taken by no queue: create or bind one, or correct the key",
                    );
                }
                Ok(Answer::Failed(error)) if message.is_to_blame(&error) => {
                    return Err(crate::error::failed(message.doing(), error));
                }
                // Another message has ended the channel, or the connection was lost.
                Ok(Answer::Failed(_)) => None,
                Err(error) => Some(error),
            };
            if let Some(error) = error
                && is_final(&error)
            {
                return Err(error);
            }
            sleep(delays.next().unwrap_or_default()).await;
        }
    }

    /// Publishes a flow's messages. The outcome is ready when all were confirmed, or the first was
    /// not.
    ///
    /// As many messages are asked for as may be on their way, and one more for each that was
    /// confirmed. They are sent in their order; those that are published again after a connection
    /// was lost may change places among each other. Dropping the outcome cancels the flow.
    pub fn run<P>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Publication>,
    {
        let (scheduler, n) = (self.amqp.scheduler(), self.config.in_flight as usize);
        flow.map_async_on(&scheduler, n, Order::Source, self.sending())
            .flatten_results()
            .for_each(|()| ())
    }

    /// Publishes a flow of deliveries, and acknowledges each when its message is confirmed. One
    /// whose message never can be, because it is too large or has a name that is too long, is
    /// rejected; any other is nacked for a second, also where no queue takes it or one is full: put
    /// [`dead_letter_after`](millstream_pressure::FlowExt::dead_letter_after) before to limit that.
    ///
    /// As [`run`](Self::run) otherwise.
    pub fn run_acked<P, A>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Delivery<Publication, A>>,
        A: Acknowledge,
    {
        let mut send = self.sending();
        let (scheduler, n) = (self.amqp.scheduler(), self.config.in_flight as usize);
        let work = move |publication, _: &_| {
            let sending = send(publication);
            // A queue may be there later, or have room.
            async move { sending.await.map_err(|error| Unprocessed::by_kind(&error, RETRY)) }
        };
        flow.map_async_acked_on(&scheduler, n, Order::Completion, work).for_each(Delivery::ack)
    }

    fn sending(&self) -> impl FnMut(Publication) -> SendFuture + Send + 'static {
        let sink = self.clone();
        move |publication| {
            let sink = sink.clone();
            // A runtime that lets others run in the middle of a batch would have them overtake.
            Box::pin(unconstrained(async move { sink.send(publication).await }))
        }
    }
}

type SendFuture = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Ends when the broker has taken messages for this time in all.
async fn unblocked_for(mut time: Duration, mut blocked: watch::Receiver<Option<String>>) {
    loop {
        // The sender lives as long as the broker's handle.
        drop(blocked.wait_for(Option::is_none).await);
        let start = Instant::now();
        tokio::select! {
            () = sleep(time) => return,
            _ = blocked.wait_for(Option::is_some) => time = time.saturating_sub(start.elapsed()),
        }
    }
}

impl Message {
    /// Returns whether it was this message that the broker closed the channel for.
    fn is_to_blame(&self, error: &lapin::Error) -> bool {
        let lapin::ErrorKind::ProtocolError(said) = error.kind() else { return false };
        let text = said.get_message().as_str();
        match size_in(text) {
            Some(size) => size == self.payload.len() as u64,
            None => {
                let names_it = text.contains(&format!("'{}'", self.exchange));
                matches!(said.get_id(), 403 | 404) && names_it
            }
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("config", &self.config).finish_non_exhaustive()
    }
}
