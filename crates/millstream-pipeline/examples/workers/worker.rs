//! A worker: a process that does its share of the records.

use std::{
    error::Error,
    fmt,
    fs::File,
    io::Write as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use clap::Parser;
use millstream::scheduler::ambient;
use millstream_kafka::{Consumer, ConsumerConfig, Kafka, KafkaAck, KafkaConfig};
use millstream_pressure::{
    Cluster, ClusterConfig, Delivery, Envelope, FlowExt as _, Policy as _, RateConfig, RateLimit,
    Unprocessed,
};
use millstream_redis::{Redis, RedisConfig};
use parking_lot::Mutex;

/// The environment's variable that makes a process a worker, with its arguments, a line each.
pub(crate) const VARIABLE: &str = "MILLSTREAM_WORKER";

/// A partition is hot that lags so many times as far behind as the median of this worker's, and by
/// so many records at least.
const HOT: (u64, u64) = (3, 300);

#[derive(Parser)]
pub(crate) struct Worker {
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long)]
    pub(crate) broker: String,
    #[arg(long)]
    pub(crate) redis: String,
    #[arg(long)]
    pub(crate) topic: String,
    /// Where it writes what it has done.
    #[arg(long)]
    pub(crate) log: PathBuf,
    /// How many milliseconds a record takes.
    #[arg(long)]
    pub(crate) work: u64,
    /// How many records a second all workers do together.
    #[arg(long)]
    pub(crate) rate: f64,
    /// In milliseconds.
    #[arg(long)]
    pub(crate) session_timeout: u64,
}

/// Works until the process ends.
pub(crate) async fn run(arguments: &str) -> Result<(), Box<dyn Error>> {
    let own = Worker::parse_from(std::iter::once("worker").chain(arguments.lines()));
    let log = Log::open(&own.log)?;
    let kafka = Kafka::connect(KafkaConfig::at(&own.broker)).await?;
    let consumer = kafka.consumer(ConsumerConfig {
        commit_every: Duration::from_millis(100),
        session_timeout: Duration::from_millis(own.session_timeout),
        lag_every: Duration::from_millis(500),
        ..ConsumerConfig::of(&own.topic, "workers")
    })?;

    // Its share of the rate, of which the others get all when it is gone.
    let limit = RateLimit::new("work", RateConfig::default(), &ambient())?;
    let config = ClusterConfig {
        beat: Duration::from_millis(own.session_timeout / 6),
        expiry: Duration::from_millis(own.session_timeout / 2),
        ..ClusterConfig::of(&own.name)
    };
    let node = Cluster::new("workers", config, Arc::new(limit.clone()), &ambient())?;
    node.divide_rate(&limit, RateConfig { rate: own.rate, burst: 10 })?;
    let redis = Redis::connect(RedisConfig::at(&own.redis)).await?;
    let beats = tokio::spawn(node.run(redis.cluster("workers")?));
    let watching = tokio::spawn(watch(consumer.clone(), node, log.clone()));

    // A partition at a time each, so that the records of a key stay in their order.
    let partition =
        |delivery: &Delivery<_, KafkaAck>| delivery.envelope.position.clone().map(|at| at.sequence);
    let time = Duration::from_millis(own.work);
    let work = consumer.deliveries().rate_limit(&limit).group_map(partition, move |of_one| {
        let log = log.clone();
        of_one.map_async_acked(1, move |record: Option<Bytes>, envelope: &Envelope| {
            let (log, envelope) = (log.clone(), envelope.clone());
            async move {
                tokio::time::sleep(time).await;
                let noted = log.done(&envelope, &record.unwrap_or_default());
                noted.map_err(|_| Unprocessed::retry(Duration::from_secs(1)))
            }
        })
    });
    work.for_each(Delivery::ack).await?;
    beats.abort();
    watching.abort();
    Ok(())
}

/// Notes what is committed, which partitions are hot, and how many nodes there are.
async fn watch(consumer: Consumer, node: Cluster, log: Log) {
    loop {
        let snapshot = consumer.snapshot();
        for each in &snapshot.partitions {
            if let Some(committed) = each.committed {
                log.line(format_args!("committed {} {committed}", each.partition)).ok();
            }
        }
        for each in snapshot.hot_partitions(HOT.0, HOT.1) {
            let lag = each.lag.unwrap_or_default();
            log.line(format_args!("hot {} {lag}", each.partition)).ok();
        }
        log.line(format_args!("nodes {}", node.snapshot().n_nodes)).ok();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Lines with the time, in milliseconds, in front of each.
#[derive(Clone)]
struct Log(Arc<Mutex<File>>);

impl Log {
    fn open(path: &PathBuf) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    fn done(&self, envelope: &Envelope, payload: &[u8]) -> std::io::Result<()> {
        let position = envelope.position.as_ref().map(ToString::to_string).unwrap_or_default();
        let key = String::from_utf8_lossy(envelope.key.as_deref().unwrap_or_default());
        let number = String::from_utf8_lossy(payload);
        self.line(format_args!("done {position} {key} {number}"))
    }

    fn line(&self, what: fmt::Arguments<'_>) -> std::io::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let line = format!("{} {what}\n", now.as_millis());
        self.0.lock().write_all(line.as_bytes())
    }
}
