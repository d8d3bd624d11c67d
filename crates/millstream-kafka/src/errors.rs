//! What the client's errors mean, and what to do about them.

use millstream::{Error, ErrorKind};
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

/// Whether the brokers refuse who connects.
pub(crate) fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::ClusterAuthorizationFailed
    )
}

/// The client's own text is left out: it may name what was sent.
pub(crate) fn refused(code: Code, brokers: &str) -> Error {
    let what = match code {
        Code::UnsupportedSASLMechanism => "do not know the mechanism of the credentials",
        _ => "refuse the credentials",
    };
    Error::new(ErrorKind::Rejected, format!("the Kafka brokers at {brokers} {what}: set others"))
}

/// A setting that the client does not know, or cannot do.
pub(crate) fn unusable(error: &KafkaError) -> Error {
    let what = match error {
        KafkaError::ClientConfig(_, text, setting, _) => {
            format!("the Kafka client refuses its setting `{setting}`: {text}")
        }
        other => format!("the Kafka client cannot be made: {other}"),
    };
    Error::new(ErrorKind::InvalidData, what)
}

/// What a consumer hears: the error with which its flow fails, or `None` if the client goes on by
/// itself, as it does when a connection is lost.
pub(crate) fn of_consumer(error: &KafkaError, topics: &[String], brokers: &str) -> Option<Error> {
    let (topics, code) = (topics.join(", "), error.rdkafka_error_code()?);
    if is_refusal(code) {
        return Some(refused(code, brokers));
    }
    let (kind, what) = match code {
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::InvalidTopic => (
            ErrorKind::Rejected,
            format!("there is no topic {topics}: create it, or correct the name"),
        ),
        Code::TopicAuthorizationFailed => (
            ErrorKind::Rejected,
            format!("reading {topics} is not allowed: grant it, or change the user"),
        ),
        Code::GroupAuthorizationFailed => (
            ErrorKind::Rejected,
            "the group is not allowed: grant it, or change the user".to_owned(),
        ),
        Code::InvalidGroupId => (ErrorKind::Rejected, "the group's name is refused".to_owned()),
        Code::InconsistentGroupProtocol => (
            ErrorKind::Rejected,
            "other members of the group share partitions in another way: set their assignment"
                .to_owned(),
        ),
        Code::InvalidSessionTimeout => (
            ErrorKind::Rejected,
            "the session timeout is refused: see group.min.session.timeout.ms and \
             group.max.session.timeout.ms of the broker"
                .to_owned(),
        ),
        Code::FencedInstanceId => (
            ErrorKind::Rejected,
            "another member has the name of this instance: no two have the same".to_owned(),
        ),
        Code::AutoOffsetReset => (
            ErrorKind::InvalidData,
            "what the group has committed is gone, or nothing was: set where to start".to_owned(),
        ),
        _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
            (ErrorKind::Disconnected, "the Kafka client has failed".to_owned())
        }
        _ => return None,
    };
    Some(Error::with_source(kind, what, error.clone()))
}

#[test]
fn a_connection_that_is_lost_is_no_failure() {
    let of = |code| of_consumer(&KafkaError::MessageConsumption(code), &["a".to_owned()], "b:1");
    for code in [Code::BrokerTransportFailure, Code::AllBrokersDown, Code::PollExceeded] {
        assert!(of(code).is_none(), "{code:?}");
    }
    let missing = of(Code::UnknownTopicOrPartition).map(|error| error.to_string());
    assert!(missing.is_some_and(|text| text.contains("there is no topic a")));
    let kind = of(Code::Authentication).map(|error| error.kind());
    assert_eq!(kind, Some(ErrorKind::Rejected));
}
