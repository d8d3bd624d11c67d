//! The durable queue and its peers, each used as one would use it as a queue.

use std::{
    error::Error,
    fs::File,
    io::{BufReader, Read as _, Write as _},
    ops::Range,
    path::Path,
};

use fjall::{Database as Fjall, Keyspace, KeyspaceCreateOptions, PersistMode};
use millstream::scheduler::Pool;
use millstream_spill::{Config, Durability, Receiver, Sender, Spill, codec::Bytes};
use redb::{Database as Redb, ReadableTable as _, TableDefinition};

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

pub(crate) const RECORD: usize = 256;
const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("queue");

/// A queue on the disk, of which each call is one group.
pub(crate) trait Queue {
    /// Appends the records of these numbers, and returns when they are as safe as was asked for.
    fn append(&mut self, records: Range<u64>) -> Result;

    /// Takes up to `n` of the oldest records, looks at each, and has them not come again; how many
    /// there were.
    fn take(&mut self, n: u64) -> Result<u64>;
}

/// Opens an empty queue, whose groups are synced or not.
pub(crate) type Open = fn(&Path, is_synced: bool) -> Result<Box<dyn Queue>>;

pub(crate) const QUEUES: [(&str, Open); 4] = [
    ("plain file", |path, is_synced| Ok(Box::new(PlainFile::open(path, is_synced)?))),
    ("millstream-spill", |path, is_synced| Ok(Box::new(Millstream::open(path, is_synced)?))),
    ("redb", |path, is_synced| Ok(Box::new(InRedb::open(path, is_synced)?))),
    ("fjall", |path, is_synced| Ok(Box::new(InFjall::open(path, is_synced)?))),
];

fn record(n: u64) -> [u8; RECORD] {
    let mut record = [7; RECORD];
    record[..8].copy_from_slice(&n.to_le_bytes());
    record
}

fn check(n: u64, bytes: &[u8]) -> Result {
    let is_good = bytes.len() == RECORD && bytes[..8] == n.to_le_bytes();
    if is_good { Ok(()) } else { Err(format!("record {n} is another").into()) }
}

/// Length, checksum, number and record, a write for each group: what any log costs.
struct PlainFile {
    file: File,
    buffer: Vec<u8>,
    is_synced: bool,
    reader: BufReader<File>,
    n_taken: u64,
}

impl PlainFile {
    fn open(directory: &Path, is_synced: bool) -> Result<Self> {
        let path = directory.join("log");
        let file = File::create_new(&path)?;
        let reader = BufReader::with_capacity(256 << 10, File::open(path)?);
        Ok(Self { file, buffer: Vec::new(), is_synced, reader, n_taken: 0 })
    }
}

impl Queue for PlainFile {
    fn append(&mut self, records: Range<u64>) -> Result {
        self.buffer.clear();
        for n in records {
            let record = record(n);
            self.buffer.extend((RECORD as u32).to_le_bytes());
            self.buffer.extend(crc32c::crc32c(&record).to_le_bytes());
            self.buffer.extend(n.to_le_bytes());
            self.buffer.extend(record);
        }
        self.file.write_all(&self.buffer)?;
        if self.is_synced {
            self.file.sync_data()?;
        }
        Ok(())
    }

    fn take(&mut self, n: u64) -> Result<u64> {
        let mut frame = [0; RECORD + 16];
        for at in 0..n {
            if let Err(error) = self.reader.read_exact(&mut frame) {
                let is_end = error.kind() == std::io::ErrorKind::UnexpectedEof;
                return if is_end { Ok(at) } else { Err(error.into()) };
            }
            check(self.n_taken, &frame[16..])?;
            if crc32c::crc32c(&frame[16..]).to_le_bytes() != frame[4..8] {
                return Err("the checksum is wrong".into());
            }
            self.n_taken += 1;
        }
        Ok(n)
    }
}

struct Millstream {
    sender: Sender<Bytes>,
    receiver: Receiver<Bytes>,
}

/// With room for all that is measured.
pub(crate) fn config(is_synced: bool) -> Config {
    let durability = if is_synced { Durability::Each } else { Durability::Process };
    Config { durability, max_bytes: 32 << 30, ..Config::default() }
}

impl Millstream {
    fn open(directory: &Path, is_synced: bool) -> Result<Self> {
        let disk = Pool::named("disk", 1);
        let spill = Spill::at(directory).config(config(is_synced));
        let (sender, receiver) = spill.open(Bytes, &disk)?;
        Ok(Self { sender, receiver })
    }
}

impl Queue for Millstream {
    fn append(&mut self, records: Range<u64>) -> Result {
        let sent = self.sender.send_all_blocking(records.map(|n| record(n).to_vec()));
        sent.map_err(|rejected| rejected.error.into())
    }

    fn take(&mut self, n: u64) -> Result<u64> {
        let (mut n_taken, mut last) = (0, None);
        while n_taken < n
            && let Some(entry) = self.receiver.try_recv()?
        {
            check(entry.sequence, &entry.item)?;
            last = Some(entry.sequence);
            n_taken += 1;
        }
        if let Some(last) = last {
            self.receiver.acknowledge_blocking(last)?;
        }
        Ok(n_taken)
    }
}

struct InRedb {
    database: Redb,
    is_synced: bool,
}

impl InRedb {
    fn open(directory: &Path, is_synced: bool) -> Result<Self> {
        Ok(Self { database: Redb::create(directory.join("queue"))?, is_synced })
    }

    fn begin(&self) -> Result<redb::WriteTransaction> {
        let mut transaction = self.database.begin_write()?;
        if !self.is_synced {
            transaction.set_durability(redb::Durability::None)?;
        }
        Ok(transaction)
    }
}

impl Queue for InRedb {
    fn append(&mut self, records: Range<u64>) -> Result {
        let transaction = self.begin()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for n in records {
                table.insert(n, record(n).as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn take(&mut self, n: u64) -> Result<u64> {
        let transaction = self.begin()?;
        let mut n_taken = 0;
        {
            let mut table = transaction.open_table(TABLE)?;
            let first = table.first()?.map_or(0, |(first, _)| first.value());
            for entry in table.extract_from_if(first..first + n, |_, _| true)? {
                let (key, value) = entry?;
                check(key.value(), value.value())?;
                n_taken += 1;
            }
        }
        transaction.commit()?;
        Ok(n_taken)
    }
}

struct InFjall {
    database: Fjall,
    queue: Keyspace,
    is_synced: bool,
    n_taken: u64,
}

impl InFjall {
    fn open(directory: &Path, is_synced: bool) -> Result<Self> {
        let database = Fjall::builder(directory.join("queue")).open()?;
        let queue = database.keyspace("queue", KeyspaceCreateOptions::default)?;
        Ok(Self { database, queue, is_synced, n_taken: 0 })
    }

    fn commit(&self, batch: fjall::OwnedWriteBatch) -> Result {
        batch.commit()?;
        if self.is_synced {
            self.database.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }
}

impl Queue for InFjall {
    fn append(&mut self, records: Range<u64>) -> Result {
        let mut batch = self.database.batch();
        for n in records {
            batch.insert(&self.queue, n.to_be_bytes(), record(n));
        }
        self.commit(batch)
    }

    fn take(&mut self, n: u64) -> Result<u64> {
        let mut batch = self.database.batch();
        let first = self.n_taken;
        // From where it was: what was removed before is stepped over otherwise.
        for entry in self.queue.range(first.to_be_bytes()..(first + n).to_be_bytes()) {
            let (key, value) = entry.into_inner()?;
            check(self.n_taken, &value)?;
            batch.remove(&self.queue, key);
            self.n_taken += 1;
        }
        self.commit(batch)?;
        Ok(self.n_taken - first)
    }
}
