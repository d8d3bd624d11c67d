//! `window`: groups items by time or number, and makes one item of each group.

mod aggregate;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde_json::{Map, Value};

use self::aggregate::Total;
use crate::{Expression, WindowSpec, record::Record, status::Faults, step::Fault};

/// The windows in progress.
pub(crate) struct Windows {
    spec: WindowSpec,
    /// By where they start, in nanoseconds since 1970 (0 for windows of so many items), and key.
    open: BTreeMap<i128, HashMap<Option<String>, Window>>,
    n_open: usize,
    /// The time of the newest item.
    newest: i128,
    late: Faults,
}

/// The items of a key in a window.
struct Window {
    key: Value,
    n: u64,
    totals: Vec<Total>,
    /// When the first of its items was born.
    born: Duration,
}

impl Windows {
    pub(crate) fn new(spec: &WindowSpec, late: &Faults) -> Self {
        Self {
            spec: spec.clone(),
            open: BTreeMap::new(),
            n_open: 0,
            newest: i128::MIN,
            late: late.clone(),
        }
    }

    /// Adds an item, and gives the windows that are done.
    pub(crate) fn add(&mut self, record: &Record) -> Result<Vec<Record>, Fault> {
        let value = &record.value;
        let key = match &self.spec.by {
            Some(by) => by.evaluate(value)?,
            None => Value::Null,
        };
        // Before anything changes, so that an item is in all aggregates or in none.
        let made = self.spec.aggregates.values().map(|aggregate| aggregate::of(aggregate, value));
        let made: Vec<_> = made.collect::<Result<_, _>>()?;
        let start = match (self.spec.every, &self.spec.time) {
            (Some(every), Some(time)) => {
                let time = nanos(time, value)?;
                let length = i128::try_from(every.0.as_nanos()).unwrap_or(i128::MAX);
                let start = time.div_euclid(length).saturating_mul(length);
                if start.saturating_add(length).saturating_add(self.lateness()) <= self.newest {
                    self.late.note("came later than the window waits".to_owned());
                    return Ok(Vec::new());
                }
                self.newest = self.newest.max(time);
                start
            }
            _ => 0,
        };
        let name = (!key.is_null()).then(|| key.to_string());
        let windows = self.open.entry(start).or_default();
        let aggregates = &self.spec.aggregates;
        let window = match windows.entry(name.clone()) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                self.n_open += 1;
                if self.n_open > self.spec.max_keys.get() {
                    return Err(Fault::fatal(format!(
                        "has more than {} keys in progress: raise max_keys, or group by less",
                        self.spec.max_keys
                    )));
                }
                let totals = aggregates.values().map(Total::new).collect();
                entry.insert(Window { key, n: 0, totals, born: record.born })
            }
        };
        let totals = window.totals.iter_mut().zip(aggregates.values());
        for ((total, aggregate), made) in totals.zip(made) {
            total.add(aggregate, made);
        }
        window.n += 1;
        match self.spec.count {
            Some(count) if window.n == count.get() as u64 => {
                let window = windows.remove(&name).expect("it was just counted");
                self.n_open -= 1;
                Ok(vec![self.close(0, window)])
            }
            Some(_) => Ok(Vec::new()),
            None => Ok(self.due()),
        }
    }

    /// The windows that are left when there are no more items.
    pub(crate) fn finish(&mut self) -> Vec<Record> {
        self.newest = i128::MAX;
        let open = std::mem::take(&mut self.open);
        self.n_open = 0;
        open.into_iter().flat_map(|(start, windows)| self.close_all(start, windows)).collect()
    }

    fn lateness(&self) -> i128 {
        let lateness = self.spec.lateness.map_or(0, |lateness| lateness.0.as_nanos());
        i128::try_from(lateness).unwrap_or(i128::MAX)
    }

    /// The windows that wait for nothing more.
    fn due(&mut self) -> Vec<Record> {
        let length = self.spec.every.map_or(0, |every| every.0.as_nanos());
        let length = i128::try_from(length).unwrap_or(i128::MAX);
        let end = self.newest.saturating_sub(length).saturating_sub(self.lateness());
        if self.open.first_key_value().is_none_or(|(start, _)| *start > end) {
            return Vec::new();
        }
        let open = self.open.split_off(&(end + 1));
        let done = std::mem::replace(&mut self.open, open);
        self.n_open -= done.values().map(HashMap::len).sum::<usize>();
        done.into_iter().flat_map(|(start, windows)| self.close_all(start, windows)).collect()
    }

    /// In the order of their keys, because that of a hash map is another one each time.
    fn close_all(&self, start: i128, windows: HashMap<Option<String>, Window>) -> Vec<Record> {
        let mut windows: Vec<_> = windows.into_iter().collect();
        windows.sort_by(|(a, _), (b, _)| a.cmp(b));
        windows.into_iter().map(|(_, window)| self.close(start, window)).collect()
    }

    fn close(&self, start: i128, window: Window) -> Record {
        let mut fields = Map::new();
        if self.spec.by.is_some() {
            fields.insert("key".to_owned(), window.key);
        }
        if let Some(every) = self.spec.every {
            let length = i128::try_from(every.0.as_nanos()).unwrap_or(i128::MAX);
            fields.insert("from".to_owned(), seconds(start));
            fields.insert("to".to_owned(), seconds(start.saturating_add(length)));
        }
        let made = self.spec.aggregates.keys().zip(window.totals);
        fields.extend(made.map(|(name, total)| (name.clone(), total.finish())));
        Record::new(Value::Object(fields), window.born)
    }
}

/// When an item happened.
#[expect(clippy::cast_possible_truncation, reason = "checked before")]
fn nanos(time: &Expression, value: &Value) -> Result<i128, String> {
    // As far as 64 bits of seconds go.
    const FAR: f64 = 9.2e18;
    match time.evaluate(value)? {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => Ok(i128::from(seconds) * 1_000_000_000),
            (None, Some(seconds)) if seconds.abs() < FAR => Ok((seconds * 1e9) as i128),
            _ => Err(format!("`{}`: {number} is no time", time.text())),
        },
        other => Err(format!("`{}`: {other} is not a number of seconds", time.text())),
    }
}

/// Whole seconds as a whole number.
#[expect(clippy::cast_precision_loss, reason = "a number of JSON is no better")]
fn seconds(nanos: i128) -> Value {
    const SECOND: i128 = 1_000_000_000;
    match i64::try_from(nanos / SECOND) {
        Ok(seconds) if nanos % SECOND == 0 => seconds.into(),
        _ => (nanos as f64 / 1e9).into(),
    }
}
