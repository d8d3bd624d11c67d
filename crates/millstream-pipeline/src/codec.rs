//! Records as bytes, for the disk.

use std::time::Duration;

use millstream::scheduler::Worker;
use millstream_spill::{Codec, codec::CodecError};

use crate::record::Record;

/// When a record was born, and its value as JSON.
pub(crate) struct RecordCodec {
    clock: Worker,
}

impl RecordCodec {
    pub(crate) fn new(clock: Worker) -> Self {
        Self { clock }
    }
}

impl Codec for RecordCodec {
    type Item = Record;

    fn encode(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let nanos = u64::try_from(record.born.as_nanos()).unwrap_or(u64::MAX);
        out.extend_from_slice(&nanos.to_le_bytes());
        serde_json::to_writer(out, &record.value)?;
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Record, CodecError> {
        let (nanos, json) = bytes.split_first_chunk::<8>().ok_or("is shorter than a time is")?;
        // One of an earlier run, whose clock began elsewhere, is born when it is read.
        let born = Duration::from_nanos(u64::from_le_bytes(*nanos)).min(self.clock.now());
        Ok(Record::new(serde_json::from_slice(json)?, born))
    }
}
