//! A NATS server: whether JetStream has what the file names.

use std::time::Duration;

use millstream::{Error, ErrorKind};
use millstream_nats::Nats;
use serde_json::{Value, json};

use super::Notes;
use crate::{NatsConnection, NatsSink, NatsSource, nearest, net::Net};

/// What JetStream answers to a question.
struct JetStream<'a> {
    nats: Nats,
    net: &'a Net,
    timeout: Duration,
}

impl<'a> JetStream<'a> {
    /// Connects, and asks whether there is JetStream.
    fn reach(
        connection: &NatsConnection,
        name: &str,
        net: &'a Net,
        notes: &mut Notes,
    ) -> Option<Self> {
        let servers = connection.servers.join(", ");
        let connected = connection
            .config(name)
            .map_err(|why| Error::new(ErrorKind::InvalidData, why))
            .and_then(|config| net.wait(Nats::connect(config)));
        let nats = match connected {
            Ok(nats) => nats,
            Err(error) => {
                notes.bad("connection", error.to_string());
                return None;
            }
        };
        notes.good("connection", format!("{servers} answers"));
        let own = Self { nats, net, timeout: connection.request_timeout.0 };
        match own.ask("INFO", &json!({})) {
            Ok(answer) if answer.get("error").is_none() => Some(own),
            Ok(answer) => {
                notes.bad("JetStream", format!("refuses: {}", description(&answer)));
                None
            }
            Err(_) => {
                notes.bad(
                    "JetStream",
                    format!("{servers} has none: start the server with `-js`, or `jetstream {{}}` in its configuration"),
                );
                None
            }
        }
    }

    fn ask(&self, what: &str, body: &Value) -> Result<Value, Error> {
        let (client, subject) = (self.nats.client().clone(), format!("$JS.API.{what}"));
        let (body, timeout) = (body.to_string(), self.timeout);
        let late = |_| Error::new(ErrorKind::Timeout, "no answer");
        self.net.wait(async move {
            let asking = tokio::time::timeout(timeout, client.request(subject, body.into()));
            let answer = asking.await.map_err(late)?.map_err(Error::other)?;
            serde_json::from_slice(&answer.payload).map_err(Error::other)
        })
    }

    fn stream_names(&self, body: &Value) -> Vec<String> {
        let answer = self.ask("STREAM.NAMES", body).unwrap_or_default();
        let names = answer["streams"].as_array().into_iter().flatten();
        names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

fn description(answer: &Value) -> &str {
    answer["error"]["description"].as_str().unwrap_or("without a reason")
}

pub(super) fn source(spec: &NatsSource, name: &str, net: &Net, notes: &mut Notes) {
    let Some(jetstream) = JetStream::reach(&spec.connection, name, net, notes) else { return };
    let stream = &spec.stream;
    match jetstream.ask(&format!("STREAM.INFO.{stream}"), &json!({})) {
        Ok(info) if info.get("error").is_none() => {
            let n = &info["state"]["messages"];
            notes.good("stream", format!("{stream} is there: {n} messages"));
        }
        _ => {
            let names = jetstream.stream_names(&json!({}));
            let meant = nearest(stream, names.iter().map(String::as_str));
            let meant = meant.map_or_else(
                || "`nats stream add` makes one".to_owned(),
                |name| format!("is it {name}?"),
            );
            return notes.bad("stream", format!("there is no stream {stream}: {meant}"));
        }
    }
    let consumer = &spec.consumer;
    match jetstream.ask(&format!("CONSUMER.INFO.{stream}.{consumer}"), &json!({})) {
        Ok(info) if info.get("error").is_none() => known_consumer(spec, &info, notes),
        Ok(info) if info["error"]["code"] == 404 => {
            notes.good("consumer", format!("{consumer} is not there, and will be created"));
        }
        Ok(info) => notes.bad("consumer", format!("{consumer}: {}", description(&info))),
        Err(error) => notes.bad("consumer", format!("{consumer}: {error}")),
    }
}

/// A consumer that is there has settings of its own.
fn known_consumer(spec: &NatsSource, info: &Value, notes: &mut Notes) {
    let consumer = &spec.consumer;
    let config = &info["config"];
    if config.get("deliver_subject").is_some() {
        let why = format!("{consumer} is a push consumer: name another one, or delete it");
        return notes.bad("consumer", why);
    }
    if config["ack_policy"] != "explicit" {
        return notes.bad(
            "consumer",
            format!(
                "{consumer} has the acknowledgement policy {}, and needs `explicit`",
                config["ack_policy"]
            ),
        );
    }
    let wait = Duration::from_nanos(config["ack_wait"].as_u64().unwrap_or_default());
    if wait != spec.ack_wait.0 {
        notes.look(
            "consumer",
            format!(
                "{consumer} is there with an ack_wait of {wait:?}, which counts, and not the {:?} \
                 of the file",
                spec.ack_wait.0
            ),
        );
    }
    notes.good(
        "consumer",
        format!(
            "{consumer} is there: {} messages wait, {} are not acknowledged",
            info["num_pending"], info["num_ack_pending"]
        ),
    );
}

pub(super) fn sink(spec: &NatsSink, name: &str, net: &Net, notes: &mut Notes) {
    let Some(jetstream) = JetStream::reach(&spec.connection, name, net, notes) else { return };
    let subject = &spec.subject;
    match jetstream.stream_names(&json!({ "subject": subject })).as_slice() {
        [] => notes.bad(
            "subject",
            format!("{subject} is taken by no stream: add it to the subjects of one"),
        ),
        names => notes.good("subject", format!("{subject} is taken by {}", names.join(", "))),
    }
}
