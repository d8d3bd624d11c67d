//! `TopicOfDeadLetters`: what is rejected, in a topic of its own.

use std::fmt;

use bytes::Bytes;
use millstream_pressure::{Acknowledge, DeadLetter, DeadLetters, Delivery};

use super::{Publication, RETRY, Sink};

/// A topic to which dead letters go: returned by [`Sink::dead_letters`].
///
/// A letter has the record's key, payload and headers, with the reason in the header
/// `dead-letter-reason` and where it came from in `dead-letter-position`. The original is
/// acknowledged when the letter is stored, and delivered again after a second if it cannot be.
#[derive(Clone)]
pub struct TopicOfDeadLetters {
    sink: Sink,
    topic: String,
}

impl TopicOfDeadLetters {
    pub(super) fn new(sink: Sink, topic: &str) -> Self {
        Self { sink, topic: topic.to_owned() }
    }
}

impl<A: Acknowledge> DeadLetters<Option<Bytes>, A> for TopicOfDeadLetters {
    fn put(&self, letter: Delivery<DeadLetter<Option<Bytes>>, A>) {
        let (letter, envelope, original) = letter.into_parts();
        let mut headers = envelope.headers;
        headers.add("dead-letter-reason", letter.reason);
        if let Some(position) = envelope.position {
            headers.add("dead-letter-position", position.to_string());
        }
        let (topic, key, payload) = (self.topic.clone(), envelope.key, letter.payload);
        let publication = Publication { topic, key, payload, headers, partition: None };
        let sink = self.sink.clone();
        self.sink.0.kafka.0.runtime.spawn(async move {
            match sink.send(publication).await {
                Ok(_) => original.ack(),
                Err(_) => original.nack(RETRY),
            }
        });
    }
}

impl fmt::Debug for TopicOfDeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicOfDeadLetters").field("topic", &self.topic).finish_non_exhaustive()
    }
}
