//! Records as bytes, for the disk.

use std::time::{Duration, SystemTime};

use millstream::scheduler::Worker;
use millstream_spill::{Codec, codec::CodecError};

use crate::record::Record;

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

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
        let age = self.clock.now().saturating_sub(record.born);
        let born = since_1970().saturating_sub(age);
        let nanos = u64::try_from(born.as_nanos()).unwrap_or(u64::MAX);
        out.extend_from_slice(&nanos.to_le_bytes());
        serde_json::to_writer(out, &record.value)?;
        record.stored();
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Record, CodecError> {
        let (nanos, json) = bytes.split_first_chunk::<8>().ok_or("is shorter than a time is")?;
        // It may be of an earlier run, whose clock began elsewhere; and the system's may be set
        // back.
        let age = since_1970().saturating_sub(Duration::from_nanos(u64::from_le_bytes(*nanos)));
        let born = self.clock.now().saturating_sub(age);
        Ok(Record::new(serde_json::from_slice(json)?, born))
    }
}
