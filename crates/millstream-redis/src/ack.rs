//! `StreamAck`: how a group is told what became of an entry.

use std::{fmt, sync::Arc, time::Duration};

use millstream_pressure::{Acknowledge, Settlement};
use redis::{Pipeline, aio::ConnectionManager};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use crate::{StreamConfig, connection::is_not_ready};

/// The most commands that are sent at one go.
const AT_ONE_GO: usize = 512;
/// How long a server that does not answer, or is not ready, is left alone.
const PAUSE: Duration = Duration::from_millis(200);

/// Acknowledgement of an entry by its group.
///
/// Redis has no word for a nack: the entry is given the age at which, after the delay, another may
/// claim it. A rejection acknowledges it, since there are no dead letters: put
/// [`dead_letter`](millstream_pressure::FlowExt::dead_letter) before.
pub struct StreamAck {
    pub(crate) config: Arc<StreamConfig>,
    pub(crate) id: String,
    pub(crate) acker: Acker,
}

/// What is to be done, in this order.
enum Work {
    Tell(Word),
    /// Everything before was told.
    Flush(oneshot::Sender<()>),
}

/// What a group is told of an entry.
struct Word {
    config: Arc<StreamConfig>,
    id: String,
    /// Its age, in milliseconds; acknowledged if `None`.
    idle: Option<u64>,
}

/// Tells groups, several words at one go. As many wait here as there are unsettled deliveries.
#[derive(Clone)]
pub(crate) struct Acker(mpsc::UnboundedSender<Work>);

impl Acker {
    pub(crate) fn start(runtime: &Handle, connection: ConnectionManager) -> Self {
        let (sender, words) = mpsc::unbounded_channel();
        runtime.spawn(tell(words, connection));
        Self(sender)
    }

    /// Waits until everything until now was told.
    pub(crate) async fn flush(&self) {
        let (sender, receiver) = oneshot::channel();
        // Without a task there is nothing that waits.
        self.0.send(Work::Flush(sender)).ok();
        receiver.await.ok();
    }
}

async fn tell(mut words: mpsc::UnboundedReceiver<Work>, mut connection: ConnectionManager) {
    let mut batch = Vec::new();
    while words.recv_many(&mut batch, AT_ONE_GO).await > 0 {
        let (mut told, mut waiting) = (Vec::new(), Vec::new());
        for work in batch.drain(..) {
            match work {
                Work::Tell(word) => told.push(word),
                Work::Flush(sender) => waiting.push(sender),
            }
        }
        let commands = commands(&told);
        // Each may be said twice. One that is refused is refused again: the entry is gone. A server
        // that is not ready refuses all.
        while !told.is_empty()
            && let Err(error) = commands.query_async::<()>(&mut connection).await
        {
            if error.code().is_some() && !is_not_ready(&error) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        for sender in waiting {
            // It may have given up.
            sender.send(()).ok();
        }
    }
}

fn commands(words: &[Word]) -> Pipeline {
    let mut pipeline = redis::pipe();
    for Word { config, id, idle } in words {
        let StreamConfig { key, group, consumer, .. } = &**config;
        match idle {
            None => pipeline.cmd("XACK").arg(key).arg(group).arg(id).ignore(),
            Some(ms) => pipeline
                .cmd("XCLAIM")
                .arg(key)
                .arg(group)
                .arg(consumer)
                .arg(0)
                .arg(id)
                .arg("IDLE")
                .arg(ms)
                .arg("JUSTID")
                .ignore(),
        };
    }
    pipeline
}

impl StreamAck {
    fn say(&self, idle: Option<u64>) {
        let (config, id) = (Arc::clone(&self.config), self.id.clone());
        // The runtime has ended otherwise, and the entry is claimed by another.
        self.acker.0.send(Work::Tell(Word { config, id, idle })).ok();
    }
}

impl Acknowledge for StreamAck {
    fn settle(self, settlement: Settlement) {
        match settlement {
            Settlement::Ack | Settlement::Reject { .. } => self.say(None),
            Settlement::Nack { delay } => {
                let age = self.config.claim_after.saturating_sub(delay);
                self.say(Some(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
            }
        }
    }

    fn extend(&self) {
        self.say(Some(0));
    }
}

impl fmt::Debug for StreamAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamAck").field("id", &self.id).finish_non_exhaustive()
    }
}
