//! What it means that a record was not stored.

use millstream::{Error, ErrorKind};
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

use crate::errors::is_refusal;

pub(super) fn of(topic: &str, error: &KafkaError) -> Error {
    let (kind, what) = match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize) => (
            ErrorKind::Overflow,
            "is too large: raise max_record of the sink, and max.message.bytes of the topic",
        ),
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
            (ErrorKind::Rejected, "has no topic or partition: create it, or correct the name")
        }
        Some(Code::TopicAuthorizationFailed) => {
            (ErrorKind::Rejected, "is not allowed: grant it, or change the user")
        }
        Some(code) if is_refusal(code) => {
            (ErrorKind::Rejected, "was not sent, because the credentials are refused: set others")
        }
        Some(Code::InvalidTopic) => (ErrorKind::InvalidData, "has a name of a topic that is none"),
        Some(Code::MessageTimedOut | Code::RequestTimedOut) => {
            (ErrorKind::Timeout, "was not confirmed in time: it may be stored or not")
        }
        Some(Code::PolicyViolation | Code::InvalidRecord) => {
            (ErrorKind::InvalidData, "is refused by the topic's rules")
        }
        _ => (ErrorKind::Disconnected, "was not confirmed"),
    };
    Error::with_source(kind, format!("a record for the topic `{topic}` {what}"), error.clone())
}
