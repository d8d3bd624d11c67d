//! What happens to three workers, and what they say afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt, fs,
    path::Path,
    process::{Child, Command},
    time::{Duration, SystemTime},
};

use futures::{StreamExt as _, stream};
use millstream_testservers as servers;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    producer::{FutureProducer, FutureRecord},
};

use super::worker;

const TOPIC: &str = "jobs";
const PARTITIONS: i32 = 6;

/// Half of all records have the key `hot`, and the others one of these many.
const KEYS: u64 = 40;

/// Their names, and how many milliseconds a record takes.
const WORKERS: [(&str, u64); 3] = [("killed", 1), ("stopped", 1), ("slow", 3)];

/// Three workers, of which one is killed, one is stopped for a while, and one is slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) records: u64,
    /// How many a second all workers do together.
    pub(crate) rate: f64,
    pub(crate) session_timeout: Duration,
}

/// What became of the records.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) records: usize,
    /// By none of them.
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    /// Of those, the ones that the group had committed before.
    pub(crate) twice_though_committed: usize,
    /// Records of a key that a worker did before an earlier one.
    pub(crate) out_of_order: usize,
    /// How many each worker did.
    pub(crate) done: BTreeMap<String, usize>,
    /// How many a second before the fault.
    pub(crate) rate_before: f64,
    /// How long after the fault it was four fifths of that again, for a second.
    pub(crate) back_after: Option<Duration>,
    /// The partitions that workers called hot, and the one of the key `hot`.
    pub(crate) hot: BTreeSet<i32>,
    pub(crate) hottest: i32,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, lost, twice, twice_though_committed, out_of_order, .. } = self;
        writeln!(f, "{records} records, by worker: {:?}", self.done)?;
        writeln!(f, "lost: {lost}; out of order: {out_of_order}")?;
        writeln!(f, "done twice: {twice}, of which committed before: {twice_though_committed}")?;
        write!(f, "before the fault {:.0} a second; ", self.rate_before)?;
        match self.back_after {
            Some(time) => writeln!(f, "four fifths of that again after {time:.1?}")?,
            None => writeln!(f, "never four fifths of that again")?,
        }
        write!(f, "called hot: {:?}; half of all records are in {}", self.hot, self.hottest)
    }
}

/// The processes, which end with this value.
struct Workers(Vec<Child>);

impl Workers {
    fn signal(&self, index: usize, name: &str) -> Result<(), Box<dyn Error>> {
        let id = self.0[index].id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &id]).status()?;
        if status.success() { Ok(()) } else { Err(format!("kill -{name} {id}: {status}").into()) }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that was killed already is only waited for.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl Scenario {
    /// Plays it with workers that `command` starts, once they have [`worker::VARIABLE`]. `None`
    /// says that a server is missing.
    pub(crate) async fn play(
        self,
        command: impl Fn() -> Command,
    ) -> Result<Option<Report>, Box<dyn Error>> {
        let properties = vec!["group.min.session.timeout.ms=1000".to_owned()];
        let setup = servers::KafkaSetup { properties, ..servers::KafkaSetup::default() };
        let Some(broker) = servers::Kafka::start_with(&setup) else { return Ok(None) };
        let Some(redis) = servers::Redis::start() else { return Ok(None) };
        let folder =
            std::env::temp_dir().join(format!("millstream-workers-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let hottest = publish(&broker.address(), self.records).await?;

        let mut workers = Workers(Vec::new());
        for (name, work) in WORKERS {
            let (log, topic) = (folder.join(name).display().to_string(), TOPIC);
            let (work, rate) = (work.to_string(), self.rate.to_string());
            let session_timeout = self.session_timeout.as_millis().to_string();
            let (address, url) = (broker.address(), redis.url());
            let arguments = [
                ("name", name),
                ("broker", &address),
                ("redis", &url),
                ("topic", topic),
                ("log", &log),
                ("work", &work),
                ("rate", &rate),
                ("session-timeout", &session_timeout),
            ];
            let lines = arguments.map(|(name, value)| format!("--{name}\n{value}"));
            workers.0.push(command().env(worker::VARIABLE, lines.join("\n")).spawn()?);
        }
        let fault = self.disturb(&workers, &folder).await?;
        // What has not come by then is counted as lost.
        until("the rest", || done(&read(&folder)).len() as u64 == self.records).await.ok();
        drop(workers);

        let report = self.report(&read(&folder), fault, hottest);
        fs::remove_dir_all(&folder)?;
        Ok(Some(report))
    }

    /// Waits until all work, kills one and stops another for longer than the group waits for it.
    /// Returns when that was.
    async fn disturb(self, workers: &Workers, folder: &Path) -> Result<u64, Box<dyn Error>> {
        until("all to work", || {
            let lines = read(folder);
            let by = |name| lines.iter().filter(|line| line.worker == name).count();
            WORKERS.iter().all(|(name, _)| by(*name) > 50)
                && done(&lines).len() as u64 > self.records / 5
        })
        .await?;
        workers.signal(0, "KILL")?;
        workers.signal(1, "STOP")?;
        let fault = now();
        tokio::time::sleep(self.session_timeout * 2).await;
        workers.signal(1, "CONT")?;
        Ok(fault)
    }

    fn report(self, lines: &[Line], fault: u64, hottest: i32) -> Report {
        let mut report = Report {
            records: usize::try_from(self.records).unwrap_or(usize::MAX),
            lost: 0,
            twice: 0,
            twice_though_committed: 0,
            out_of_order: 0,
            done: BTreeMap::new(),
            rate_before: 0.0,
            back_after: None,
            hot: BTreeSet::new(),
            hottest,
        };
        // The records that were done, and up to where each partition was committed by then.
        let mut seen = BTreeSet::new();
        let mut committed = BTreeMap::<i32, u64>::new();
        let mut last = BTreeMap::<(&str, &str), u64>::new();
        for line in lines {
            match &line.what {
                What::Done { partition, offset, key, number } => {
                    *report.done.entry(line.worker.clone()).or_default() += 1;
                    if !seen.insert((*partition, *offset)) {
                        report.twice += 1;
                        let before = committed.get(partition).copied().unwrap_or(0);
                        // The one that was stopped goes on with what it had, which others have
                        // done meanwhile.
                        let is_late = line.worker == WORKERS[1].0 && line.time > fault;
                        report.twice_though_committed += usize::from(*offset < before && !is_late);
                        continue;
                    }
                    let before = last.insert((line.worker.as_str(), key.as_str()), *number);
                    report.out_of_order += usize::from(before.is_some_and(|n| n > *number));
                }
                What::Committed { partition, offset } => {
                    let known = committed.entry(*partition).or_default();
                    *known = (*known).max(*offset);
                }
                What::Hot { partition } => {
                    report.hot.insert(*partition);
                }
            }
        }
        report.lost = report.records.saturating_sub(seen.len());
        let times: Vec<u64> = done(lines).into_values().collect();
        let within = |from: u64, to: u64| {
            times.iter().filter(|time| (from..to).contains(time)).count() as f64
        };
        report.rate_before = within(fault - 1_000, fault);
        let last = times.iter().max().copied().unwrap_or(fault);
        let is_back = |from: &u64| within(*from, from + 1_000) >= 0.8 * report.rate_before;
        let back = (fault..last.saturating_sub(1_000)).step_by(50).find(is_back);
        report.back_after = back.map(|at| Duration::from_millis(at - fault));
        report
    }
}

/// What a worker says, and when.
struct Line {
    time: u64,
    worker: String,
    what: What,
}

enum What {
    Done { partition: i32, offset: u64, key: String, number: u64 },
    Committed { partition: i32, offset: u64 },
    Hot { partition: i32 },
}

/// What all workers have said, in the order of time. A line that is being written is left out.
fn read(folder: &Path) -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, _) in WORKERS {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        lines.extend(whole.lines().filter_map(|line| parse(line, name)));
    }
    lines.sort_by_key(|line| line.time);
    lines
}

fn parse(line: &str, worker: &str) -> Option<Line> {
    let words: Vec<&str> = line.split(' ').collect();
    let what = match words[1..] {
        ["done", position, key, number] => {
            let (sequence, offset) = position.split_once('@')?;
            let partition = sequence.rsplit(|c: char| !c.is_ascii_digit()).next()?;
            What::Done {
                partition: partition.parse().ok()?,
                offset: offset.parse().ok()?,
                key: key.to_owned(),
                number: number.parse().ok()?,
            }
        }
        ["committed", partition, offset] => {
            What::Committed { partition: partition.parse().ok()?, offset: offset.parse().ok()? }
        }
        ["hot", partition, _] => What::Hot { partition: partition.parse().ok()? },
        _ => return None,
    };
    Some(Line { time: words[0].parse().ok()?, worker: worker.to_owned(), what })
}

/// The records that were done, with the time at which each was for the first time.
fn done(lines: &[Line]) -> BTreeMap<(i32, u64), u64> {
    let mut done = BTreeMap::new();
    for line in lines {
        if let What::Done { partition, offset, .. } = &line.what {
            done.entry((*partition, *offset)).or_insert(line.time);
        }
    }
    done
}

/// Makes the topic and its records, and returns the partition of the hot key.
async fn publish(broker: &str, records: u64) -> Result<i32, Box<dyn Error>> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", broker).set("linger.ms", "5");
    let admin: AdminClient<DefaultClientContext> = client.create()?;
    let new = NewTopic::new(TOPIC, PARTITIONS, TopicReplication::Fixed(1));
    let wait = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    for created in admin.create_topics([&new], &wait).await? {
        created.map_err(|(topic, code)| format!("{topic}: {code}"))?;
    }
    client.set("enable.idempotence", "true");
    let producer: FutureProducer = client.create()?;
    let sending = (0..records).map(|n| {
        let key = if n % 2 == 0 { "hot".to_owned() } else { format!("key-{}", n % KEYS) };
        let producer = producer.clone();
        async move {
            let number = n.to_string();
            let record = FutureRecord::to(TOPIC).key(&key).payload(&number);
            let sent = producer.send(record, Duration::from_secs(30)).await;
            sent.map(|stored| (key == "hot").then_some(stored.partition))
                .map_err(|(error, _)| error)
        }
    });
    // One after the other they would take their time; idempotence keeps their order.
    let mut sending = stream::iter(sending).buffered(1_000);
    let mut hottest = 0;
    while let Some(sent) = sending.next().await {
        if let Some(partition) = sent? {
            hottest = partition;
        }
    }
    Ok(hottest)
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

async fn until(what: &str, is_so: impl Fn() -> bool) -> Result<(), Box<dyn Error>> {
    for _ in 0..1_500 {
        if is_so() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("waited in vain for {what}").into())
}
