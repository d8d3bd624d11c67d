//! `call`: calls a service for each item, with a limit, a breaker and a budget for retries.

use millstream::{Error, ErrorKind, Order};
use millstream_pressure::{Breaker, Outcome as Ended, RetryBudget};
use serde_json::{Map, Value};

use super::{Assembly, invalid};
use crate::{CallSpec, OnError, client::Client, record::Record, status::Faults};

/// A service that is called. A clone is the same one.
#[derive(Clone)]
struct Called {
    place: String,
    spec: CallSpec,
    client: Client,
    breaker: Breaker,
    retries: RetryBudget,
    on_error: OnError,
    faults: Faults,
}

impl Assembly<'_> {
    pub(super) fn call(&mut self, index: usize, spec: &CallSpec) -> Result<(), Error> {
        let place = format!("stages[{index}] call");
        let clock = &self.threads.clock;
        let breaker = Breaker::new(place.clone(), spec.breaker(), clock).map_err(invalid)?;
        let retries = RetryBudget::new(place.clone(), spec.retries(), clock).map_err(invalid)?;
        self.controls.inventory.policy(&breaker);
        self.controls.inventory.policy(&retries);
        if self.is_plan {
            return Ok(());
        }
        if self.threads.is_virtual() {
            let why = format!("{place}: a service cannot be called in virtual time");
            return Err(Error::new(ErrorKind::InvalidData, why));
        }
        let target = spec.target().map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
        let called = Called {
            place,
            spec: spec.clone(),
            client: Client::new(target, spec.timeout.0)?,
            breaker,
            retries,
            on_error: spec.on_error.unwrap_or(self.spec.on_error),
            faults: self.controls.faults.clone(),
        };
        let (scheduler, registry) = (self.threads.net.scheduler()?, self.registry.clone());
        let n = spec.concurrency.get();
        self.change(|flow| {
            flow.map_async_on(&scheduler, n, Order::Source, move |record| {
                let called = called.clone();
                async move { called.with(record).await }
            })
            .flatten_results()
            .filter_map(|record| record)
            .inspect_demand("call", &registry)
            .boxed()
        });
        Ok(())
    }
}

impl Called {
    /// The record with the answer, or none where it is skipped.
    async fn with(&self, mut record: Record) -> Result<Option<Record>, Error> {
        match self.answer(&record.value).await {
            Ok(answer) => {
                let mut fields = match std::mem::take(&mut record.value) {
                    Value::Object(fields) => fields,
                    other => Map::from_iter([("item".to_owned(), other)]),
                };
                fields.insert(self.spec.into.clone(), answer);
                record.value = Value::Object(fields);
                Ok(Some(record))
            }
            Err(error) if self.on_error == OnError::Skip => {
                let why = format!("{}: {error}", self.place);
                self.faults.reject(record, why);
                Ok(None)
            }
            Err(error) => Err(error.context(&self.place)),
        }
    }

    async fn answer(&self, value: &Value) -> Result<Value, Error> {
        let of = |expression: &Option<crate::Expression>| {
            let made = expression.as_ref().map(|expression| expression.evaluate(value));
            made.transpose().map_err(|why| Error::new(ErrorKind::InvalidData, why))
        };
        let append = of(&self.spec.append)?.map(|part| match part {
            Value::String(text) => text,
            other => other.to_string(),
        });
        let body = of(&self.spec.body)?;
        let mut attempts = self.retries.start();
        loop {
            // While the breaker is open the item waits, and with it the source.
            let permit = self.breaker.acquire().await.map_err(Error::other)?;
            let result = self.client.send(append.as_deref(), body.as_ref()).await;
            let (error, wait) = match result {
                Ok(answer) => match answer.fault() {
                    None => {
                        permit.finish(Ended::Success);
                        let value = answer.value();
                        return value
                            .map_err(|why| self.client.failed(ErrorKind::InvalidData, &why));
                    }
                    Some((kind, why)) => (self.client.failed(kind, &why), answer.retry_after),
                },
                Err(error) => (error, None),
            };
            if error.kind() == ErrorKind::InvalidData {
                // It says something about the item, and nothing about the service.
                permit.finish(Ended::Ignored);
                return Err(error);
            }
            permit.finish(Ended::Failure);
            let Some(jitter) = attempts.retry() else { return Err(error) };
            tokio::time::sleep(wait.map_or(jitter, |wait| wait + wait.mul_f64(fastrand::f64())))
                .await;
        }
    }
}
