//! What a broker has, without changing it.

use lapin::{
    ErrorKind as Client, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use millstream::Error;

use crate::{
    Amqp,
    error::{Doing, told},
    link::close,
};

/// How full a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Messages that wait in it, and were sent to nobody.
    pub messages: u32,
    /// Its consumers.
    pub consumers: u32,
}

impl Amqp {
    /// How full a queue is, or `None` if there is no such queue. Creates nothing.
    ///
    /// # Errors
    ///
    /// The user may not look at it, or another connection has it for itself, of kind `Rejected`;
    /// the broker does not answer, of kind `Disconnected` or `Timeout`.
    pub async fn queue(&self, name: &str) -> Result<Option<QueueState>, Error> {
        let link = &self.0.consumers;
        let channel = link.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let asking = async {
            let asked = channel.queue_declare(name.into(), options, FieldTable::default()).await;
            unless_missing(asked)
        };
        let queue = told(link.patience(), Doing::Queue(name), asking).await?;
        close(&channel).await;
        Ok(queue.map(|queue| QueueState {
            messages: queue.message_count(),
            consumers: queue.consumer_count(),
        }))
    }

    /// Returns whether there is an exchange of this name. Creates nothing.
    ///
    /// # Errors
    ///
    /// As those of [`queue`](Self::queue).
    pub async fn has_exchange(&self, name: &str) -> Result<bool, Error> {
        let link = &self.0.consumers;
        let channel = link.channel().await?;
        let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
        let asking = async {
            // The broker does not look at the kind of one that is only asked for.
            let kind = ExchangeKind::Direct;
            let none = FieldTable::default();
            unless_missing(channel.exchange_declare(name.into(), kind, options, none).await)
        };
        let found = told(link.patience(), Doing::Exchange(name), asking).await?;
        close(&channel).await;
        Ok(found.is_some())
    }
}

/// `None` for what is not there, over which the broker has closed the channel.
fn unless_missing<T>(asked: lapin::Result<T>) -> lapin::Result<Option<T>> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind() {
            Client::ProtocolError(said) if said.get_id() == 404 => {
                // A queue that is there, and not available, has the same code.
                let kind = crate::error::refused(404, said.get_message().as_str()).0;
                if kind == millstream::ErrorKind::Rejected { Ok(None) } else { Err(error) }
            }
            _ => Err(error),
        },
    }
}
