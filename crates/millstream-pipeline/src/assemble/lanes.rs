//! Lanes: items go to the queues of their lanes, and come from there by weight.

use std::{sync::Arc, time::Duration};

use millstream::{Error, ErrorKind, Handled, Order, defer, from_fn};
use millstream_pressure::Lanes;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Assembly, invalid, lost, queue_hooks};
use crate::{LanesSpec, OnError, record::Record, status::Faults};

/// How many items were taken from lanes and wait for the thread behind: what is urgent waits for
/// them.
const TAKEN: usize = 1;

impl Assembly<'_> {
    /// Lanes end a part of the flow, and begin another one on a thread of its own.
    pub(super) fn lanes(&mut self, index: usize, spec: &LanesSpec) -> Result<(), Error> {
        let name = format!("stages[{index}] lanes");
        let config = spec.config(&self.spec.backpressure);
        let clock = &self.threads.clock;
        let lanes = Lanes::with_hooks(name.clone(), config, clock, |_| queue_hooks());
        let lanes = lanes.map_err(invalid)?;
        let place = self.controls.inventory.policy(&lanes);
        self.end_part(&place, &name);
        self.controls.queues.extend(lanes.queues().cloned());
        self.controls.lanes.push((index, lanes.clone()));
        let choice = Choice {
            place: name,
            spec: spec.clone(),
            on_error: self.spec.on_error,
            faults: self.controls.faults.clone(),
        };
        let pool = self.threads.work.clone();
        self.change(|flow| {
            let feeding = lanes.clone();
            let fed = flow.handle(move |record| choice.of(record)).map_async_on(
                &pool,
                1,
                Order::Source,
                move |(lane, record)| {
                    let lanes = feeding.clone();
                    async move { put(&lanes, lane, record).await }
                },
            );
            defer(move || {
                let failure = Arc::new(Mutex::new(None));
                let (failed, done) = (Arc::clone(&failure), lanes.clone());
                let feeding = fed
                    .map_err(move |error| {
                        let again = Error::new(error.kind(), "");
                        *failed.lock() = Some(error);
                        again
                    })
                    .do_finally(move |_| {
                        done.close();
                    })
                    .for_each(|()| ());
                let items = lanes.flow().do_finally(move |_| drop(feeding));
                // A failure comes after the items that were there before.
                items.map(Some).concat(from_fn(|| None)).handle(move |record| match record {
                    Some(record) => Handled::Pass(record),
                    None => failure.lock().take().map_or(Handled::Skip, Handled::Fail),
                })
            })
            .publish_on(&pool)
            .capacity(TAKEN)
            .boxed()
        });
        Ok(())
    }
}

/// Puts an item into its lane, and waits for room where the queue does.
async fn put(lanes: &Lanes<Record>, lane: usize, record: Record) {
    if let Err(refused) = lanes.lane(lane).put_timeout(record, Duration::MAX).await {
        // As its configuration says.
        lost(refused.item, refused.reason);
    }
}

/// Finds the lanes of items.
struct Choice {
    place: String,
    spec: LanesSpec,
    on_error: OnError,
    faults: Faults,
}

impl Choice {
    /// An item with its lane.
    fn of(&self, record: Record) -> Handled<(usize, Record)> {
        let why = match self.lane(&record.value) {
            Ok(lane) => return Handled::Pass((lane, record)),
            Err(why) => format!("{}: {why}", self.place),
        };
        match self.on_error {
            OnError::Skip => {
                self.faults.reject(record, why);
                Handled::Skip
            }
            OnError::Fail => Handled::Fail(Error::new(ErrorKind::InvalidData, why)),
        }
    }

    fn lane(&self, value: &Value) -> Result<usize, String> {
        let named = self.spec.by.evaluate(value)?;
        let find = |name: &str| self.spec.lanes.keys().position(|lane| lane == name);
        let found = named.as_str().and_then(find);
        found.or_else(|| self.spec.other.as_deref().and_then(find)).ok_or_else(|| {
            format!("`{}` gives {named}, which is the name of no lane", self.spec.by.text())
        })
    }
}
