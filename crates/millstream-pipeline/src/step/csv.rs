//! `parse: csv`: the values of a line, by the names of their columns.

use std::collections::BTreeMap;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use super::{Fault, Made, pattern::typed};
use crate::{FieldType, ParseSpec};

/// The values of a line, which has no line ends within quotes.
pub(super) struct Csv {
    reader: Reader,
    types: BTreeMap<String, FieldType>,
    /// Empty before the line that has them.
    columns: Vec<(String, FieldType)>,
    /// Where values are unquoted, and where each of them ends.
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Csv {
    pub(super) fn new(spec: &ParseSpec) -> Self {
        // It is ASCII: a spec is checked when it is read.
        let separator = u8::try_from(spec.separator).unwrap_or(b',');
        let mut csv = Self {
            reader: ReaderBuilder::new().delimiter(separator).build(),
            types: spec.types.clone(),
            columns: Vec::new(),
            text: Vec::new(),
            ends: Vec::new(),
        };
        if let Some(names) = &spec.columns {
            csv.set_columns(names.iter().cloned());
        }
        csv
    }

    fn set_columns(&mut self, names: impl Iterator<Item = String>) {
        let typed = names.map(|name| {
            let kind = self.types.get(&name).copied().unwrap_or(FieldType::Text);
            (name, kind)
        });
        self.columns = typed.collect();
    }

    pub(super) fn parse(&mut self, line: &str) -> Made {
        // A blank line is none, as spreadsheets leave at the end.
        if line.trim().is_empty() {
            return Ok(None);
        }
        let n = self.split(line)?;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges = starts.zip(&self.ends).take(n);
        let values = ranges.map(|(start, end)| String::from_utf8_lossy(&self.text[start..*end]));
        if self.columns.is_empty() {
            let names: Vec<_> = values.map(|name| name.trim().to_owned()).collect();
            if names.iter().any(String::is_empty) {
                // The next line would be taken for the names.
                let why = "the first line should name the columns, and has no name for one";
                return Err(Fault::fatal(why));
            }
            self.set_columns(names.into_iter());
            return Ok(None);
        }
        if n != self.columns.len() {
            return Err(format!("has {n} values for {} columns", self.columns.len()).into());
        }
        let fields = self
            .columns
            .iter()
            .zip(values)
            .map(|((name, kind), value)| Ok((name.clone(), typed(name, &value, *kind)?)));
        let fields = fields.collect::<Result<Map<_, _>, String>>()?;
        Ok(Some(Value::Object(fields)))
    }

    /// Unquotes the values of a line, and says how many there are.
    fn split(&mut self, line: &str) -> Result<usize, String> {
        self.reader.reset();
        // No value is longer than the line, nor are there more values than characters.
        self.text.resize(line.len() + 1, 0);
        self.ends.resize(line.len() + 1, 0);
        let (mut read, mut written, mut n) = (0, 0, 0);
        loop {
            // The empty input at the end says that there is no more.
            let (result, n_in, n_out, n_ends) = self.reader.read_record(
                &line.as_bytes()[read..],
                &mut self.text[written..],
                &mut self.ends[n..],
            );
            read += n_in;
            written += n_out;
            n += n_ends;
            match result {
                ReadRecordResult::Record => return Ok(n),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End => return Err("is empty".to_owned()),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err("has more values than characters".to_owned());
                }
            }
        }
    }
}
