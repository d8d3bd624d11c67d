//! What is said on one channel: consumers, and what became of their deliveries.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream as _;
use futures_util::future::{join3, try_join_all};
use lapin::{
    Channel, Consumer,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions,
        BasicQosOptions, BasicRejectOptions,
    },
    types::FieldTable,
};
use millstream::{Error, ErrorKind};
use millstream_pressure::{Acknowledgement, Delivery};
use tokio::time::{Instant, sleep_until};

use super::{
    outlet::{AmqpAck, Item, Outlet, Word},
    window::Window,
};
use crate::{
    ConsumeConfig,
    connection::Broker,
    envelope::envelope,
    error::{Doing, told},
};

pub(super) struct Consuming<'a> {
    config: &'a ConsumeConfig,
    outlet: &'a Arc<Outlet>,
    /// Of this channel.
    number: u64,
    channel: Channel,
    patience: Duration,
    consumer: Option<Consumer>,
    window: Window,
    /// The tag of the last delivery; they are numbered from 1 on.
    last: u64,
    /// Tags of which the broker has not been told.
    open: BTreeSet<u64>,
    /// Settlements that wait for demand, in their order.
    held: Vec<(u64, Word)>,
    /// When that is given up.
    gives_up: Option<Instant>,
    /// Nacks whose time has not come.
    later: BTreeMap<(Instant, u64), ()>,
}

impl<'a> Consuming<'a> {
    pub(super) async fn open(
        broker: &Broker,
        config: &'a ConsumeConfig,
        outlet: &'a Arc<Outlet>,
        number: u64,
    ) -> Result<Self, Error> {
        Ok(Self {
            config,
            outlet,
            number,
            channel: broker.consumers.channel().await?,
            patience: broker.consumers.patience(),
            consumer: None,
            window: Window::new(config.max_prefetch),
            last: 0,
            open: BTreeSet::new(),
            held: Vec::new(),
            gives_up: None,
            later: BTreeMap::new(),
        })
    }

    pub(super) const fn has_delivered(&self) -> bool {
        self.last > 0
    }

    /// Until the flow is over and everything is settled, or the channel fails.
    pub(super) async fn run(&mut self) -> Result<(), Error> {
        loop {
            let news = self.outlet.news();
            for (tag, word) in news.settled {
                match word {
                    Word::Nack(delay) if !delay.is_zero() && !news.is_canceled => {
                        self.later.insert((Instant::now() + delay, tag), ());
                    }
                    word => self.held.push((tag, word)),
                }
            }
            if news.is_canceled {
                self.cancel().await?;
            }
            self.nacks_that_are_due(news.is_canceled);
            let gives_up = news.is_canceled || !news.flushed.is_empty() || self.has_given_up();
            self.tell(news.demand, gives_up).await?;
            for flushed in news.flushed {
                // It may have given up.
                flushed.send(()).ok();
            }
            if news.is_canceled && self.open.is_empty() {
                // Whether it answers makes no difference any more.
                tokio::time::timeout(self.patience, self.channel.close(200, "OK".into()))
                    .await
                    .ok();
                return Ok(());
            }
            let demand = self.outlet.demand();
            if let Some(prefetch) = self.window.step(demand, self.open.len() as u64)
                && !news.is_canceled
            {
                self.replace(prefetch).await?;
            }
            self.wait().await?;
        }
    }

    /// Waits for a delivery, for news or for a moment.
    async fn wait(&mut self) -> Result<(), Error> {
        let first = self.later.keys().next().map(|(moment, _)| *moment);
        let moment = first.into_iter().chain(self.gives_up).min();
        let until = async {
            match moment {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        let consumer = &mut self.consumer;
        let delivered = poll_fn(|cx| match consumer {
            Some(consumer) => Pin::new(consumer).poll_next(cx),
            None => Poll::Pending,
        });
        let delivery = tokio::select! {
            biased;
            delivery = delivered => Some(delivery),
            () = self.outlet.news.notified() => None,
            () = until => None,
        };
        match delivery {
            None => Ok(()),
            Some(Some(Ok(delivery))) => {
                let mut items = vec![self.take(delivery)];
                while let Some(delivery) = self.ready() {
                    items.push(self.take(delivery?));
                }
                self.outlet.put(items);
                Ok(())
            }
            Some(Some(Err(error))) => Err(self.failed(error)),
            Some(None) => Err(self.is_gone()),
        }
    }

    /// A delivery that has come, without waiting.
    fn ready(&mut self) -> Option<Result<lapin::message::Delivery, Error>> {
        let consumer = self.consumer.as_mut()?;
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match Pin::new(consumer).poll_next(&mut cx) {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(delivery))) => Some(Ok(delivery)),
            Poll::Ready(Some(Err(error))) => Some(Err(self.failed(error))),
            Poll::Ready(None) => Some(Err(self.is_gone())),
        }
    }

    fn failed(&self, error: lapin::Error) -> Error {
        crate::error::failed(Doing::Consume(&self.config.queue), error)
    }

    /// The broker has canceled the consumer: the queue is deleted, or has moved. The next consumer
    /// finds out.
    fn is_gone(&self) -> Error {
        let queue = &self.config.queue;
        Error::new(
            ErrorKind::Disconnected,
            format!("the broker has canceled the consumer of `{queue}`"),
        )
    }

    fn take(&mut self, delivery: lapin::message::Delivery) -> Item {
        self.last = delivery.delivery_tag;
        self.open.insert(self.last);
        self.window.delivered();
        let ack = AmqpAck::new(Arc::clone(self.outlet), self.number, self.last);
        let envelope = envelope(&delivery);
        Delivery::from_parts(Bytes::from(delivery.data), envelope, Acknowledgement::new(ack))
    }

    /// Begins a consumer with this prefetch, in place of the former: in one round trip, since a
    /// channel does one after the other.
    async fn replace(&mut self, prefetch: u16) -> Result<(), Error> {
        let channel = self.channel.clone();
        let queue = self.config.queue.as_str();
        let (consume, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let former = self.consumer.as_ref().map(Consumer::tag);
        let steps = join3(
            async {
                match former {
                    Some(tag) => channel.basic_cancel(tag, BasicCancelOptions::default()).await,
                    None => Ok(()),
                }
            },
            channel.basic_qos(prefetch, BasicQosOptions { global: false }),
            channel.basic_consume(queue.into(), "".into(), consume, none),
        );
        let steps = async {
            let (canceled, prefetched, consumer) = steps.await;
            canceled.and(prefetched).and(consumer)
        };
        let consumer = told(self.patience, Doing::Consume(queue), steps).await?;
        self.drain()?;
        self.window.replaced(prefetch, self.last + 1);
        self.consumer = Some(consumer);
        Ok(())
    }

    /// Has the broker send nothing more.
    async fn cancel(&mut self) -> Result<(), Error> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let canceling = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        told(self.patience, Doing::Consume(&self.config.queue), canceling).await?;
        self.drain()?;
        self.consumer = None;
        self.window.canceled();
        Ok(())
    }

    /// What a consumer that is canceled has sent before it heard of that.
    fn drain(&mut self) -> Result<(), Error> {
        let mut items = Vec::new();
        while let Some(consumer) = &mut self.consumer {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            match Pin::new(consumer).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(delivery))) => items.push(self.take(delivery)),
                Poll::Ready(Some(Err(error))) => return Err(self.failed(error)),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        self.outlet.put(items);
        Ok(())
    }

    fn nacks_that_are_due(&mut self, all: bool) {
        let now = Instant::now();
        while let Some(entry) = self.later.first_entry()
            && (all || entry.key().0 <= now)
        {
            let ((_, tag), ()) = entry.remove_entry();
            self.held.push((tag, Word::Nack(Duration::ZERO)));
        }
    }

    fn has_given_up(&self) -> bool {
        self.gives_up.is_some_and(|moment| moment <= Instant::now())
    }

    /// Tells the broker what became of deliveries, as far as demand takes their place.
    async fn tell(&mut self, demand: u64, gives_up: bool) -> Result<(), Error> {
        let settles = |window: &mut Window, tag| window.settle(tag, demand);
        let mut told = self.held.extract_if(.., |(tag, _)| settles(&mut self.window, *tag));
        let mut words: Vec<_> = told.by_ref().collect();
        drop(told);
        if !self.held.is_empty() && gives_up {
            self.cancel().await?;
            words.append(&mut self.held);
        }
        self.gives_up = if self.held.is_empty() {
            None
        } else {
            self.gives_up.or_else(|| Some(Instant::now() + self.config.linger))
        };
        self.send(words).await
    }

    async fn send(&mut self, words: Vec<(u64, Word)>) -> Result<(), Error> {
        let mut acks = Vec::new();
        let mut others = Vec::new();
        for (tag, word) in words {
            if word == Word::Ack { acks.push(tag) } else { others.push((tag, word)) }
        }
        acks.sort_unstable();
        // The first of those that are open go at one go.
        let mut until = 0;
        acks.retain(|tag| {
            let is_first = self.open.first() == Some(tag);
            self.open.remove(tag);
            if is_first {
                until = *tag;
            }
            !is_first
        });
        let channel = &self.channel;
        let multiple = |multiple| BasicAckOptions { multiple };
        let first = (until > 0).then(|| channel.basic_ack(until, multiple(true)));
        let one = acks.into_iter().map(|tag| channel.basic_ack(tag, multiple(false)));
        let acks = try_join_all(first.into_iter().chain(one));
        for (tag, _) in &others {
            self.open.remove(tag);
        }
        let others = others.into_iter().map(async |(tag, word)| match word {
            Word::Reject => channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await,
            _ => {
                let options = BasicNackOptions { requeue: true, multiple: false };
                channel.basic_nack(tag, options).await
            }
        });
        let others = try_join_all(others);
        let sending = async {
            acks.await?;
            others.await
        };
        told(self.patience, Doing::Consume(&self.config.queue), sending).await.map(drop)
    }
}
