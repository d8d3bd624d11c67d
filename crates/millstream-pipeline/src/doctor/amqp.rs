//! A RabbitMQ broker: whether it has the queue or the exchange that the file names.

use millstream::{Error, ErrorKind};
use millstream_amqp::Amqp;

use super::Notes;
use crate::{AmqpConnection, AmqpSink, AmqpSource, net::Net};

/// Connects, and declares nothing.
fn reach(connection: &AmqpConnection, name: &str, net: &Net, notes: &mut Notes) -> Option<Amqp> {
    let connected = connection
        .config(name)
        .map_err(|why| Error::new(ErrorKind::InvalidData, why))
        .and_then(|config| net.wait(Amqp::connect(config)));
    match connected {
        Ok(amqp) => {
            notes.good("connection", format!("{} answers", connection.server));
            Some(amqp)
        }
        Err(error) => {
            notes.bad("connection", error.to_string());
            None
        }
    }
}

fn queue(amqp: &Amqp, queue: &str, is_declared: bool, net: &Net, notes: &mut Notes) {
    let (amqp, name) = (amqp.clone(), queue.to_owned());
    match net.wait(async move { amqp.queue(&name).await }) {
        Ok(Some(state)) => notes.good(
            "queue",
            format!("{queue} is there: {} messages, {} consumers", state.messages, state.consumers),
        ),
        Ok(None) if is_declared => {
            notes.good("queue", format!("{queue} is not there, and will be created"));
        }
        Ok(None) => notes.bad(
            "queue",
            format!(
                "there is no queue {queue}: `declare: quorum` creates one, or correct the name"
            ),
        ),
        Err(error) => notes.bad("queue", error.to_string()),
    }
}

pub(super) fn source(spec: &AmqpSource, name: &str, net: &Net, notes: &mut Notes) {
    let Some(amqp) = reach(&spec.connection, name, net, notes) else { return };
    queue(&amqp, &spec.queue, spec.declare.is_some(), net, notes);
}

pub(super) fn sink(spec: &AmqpSink, name: &str, net: &Net, notes: &mut Notes) {
    let Some(amqp) = reach(&spec.connection, name, net, notes) else { return };
    if let Some(name) = &spec.queue {
        queue(&amqp, name, spec.declare.is_some(), net, notes);
    }
    if let Some(exchange) = &spec.exchange {
        let name = exchange.clone();
        match net.wait(async move { amqp.has_exchange(&name).await }) {
            Ok(true) => notes.good("exchange", format!("{exchange} is there")),
            Ok(false) => notes.bad(
                "exchange",
                format!("there is no exchange {exchange}: create one, or correct the name"),
            ),
            Err(error) => notes.bad("exchange", error.to_string()),
        }
    }
}
