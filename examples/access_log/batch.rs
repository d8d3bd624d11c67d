//! What the parsing threads make of the lines they are given.
//!
//! A batch keeps the text it was read into, and its records say where in it their paths are: memory
//! that one thread allocates for each line and another one frees costs more than the parsing.

use std::{io::BufRead, ops::Range};

use crate::{
    input::Lines,
    record::{Parser, Record},
};

/// Lines, parsed.
pub(crate) struct Batch {
    text: Vec<u8>,
    records: Vec<Record>,
    rejects: Vec<Reject>,
    pub(crate) n_lines: u64,
    /// Whether the log, or its replay, begins with it.
    pub(crate) is_first: bool,
}

/// A line that is not in the combined format.
struct Reject {
    number: u64,
    reason: &'static str,
    line: Range<usize>,
}

impl Batch {
    pub(crate) fn parse(lines: Lines) -> Self {
        let mut parser = Parser::default();
        let mut records = Vec::with_capacity(usize::try_from(lines.n_lines).unwrap_or(0));
        let mut rejects = Vec::new();
        let mut rest = lines.text.as_slice();
        let mut start = 0;
        let mut number = lines.first_number;
        // Reading from memory does not fail.
        while let Ok(n @ 1..) = rest.skip_until(b'\n') {
            let mut end = start + n;
            while end > start && matches!(lines.text[end - 1], b'\n' | b'\r') {
                end -= 1;
            }
            match parser.parse(&lines.text[start..end]) {
                Ok(mut record) => {
                    record.path = record.path.start + start..record.path.end + start;
                    records.push(record);
                }
                Err(reason) => rejects.push(Reject { number, reason, line: start..end }),
            }
            start += n;
            number += 1;
        }
        let Lines { text, n_lines, is_first, .. } = lines;
        Self { text, records, rejects, n_lines, is_first }
    }

    /// The records, each with its path.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&Record, &[u8])> {
        self.records.iter().map(|record| (record, &self.text[record.path.clone()]))
    }

    /// The malformed lines: number, reason and text.
    pub(crate) fn rejects(&self) -> impl ExactSizeIterator<Item = (u64, &'static str, &[u8])> {
        let reject =
            |reject: &Reject| (reject.number, reject.reason, &self.text[reject.line.clone()]);
        self.rejects.iter().map(reject)
    }
}
