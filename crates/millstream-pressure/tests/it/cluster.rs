//! Nodes that accept work by how full the others are, in virtual time, with a store that goes and
//! comes back.

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Waker},
    time::Duration,
};

use millstream::{Error, ErrorKind, scheduler::VirtualTime};
use millstream_pressure::{
    Clock, Cluster, ClusterConfig, ClusterStore, Credits, CreditsConfig, Member, MemoryCluster,
    Policy as _, Pressure, PressureSource, Random, RateConfig, RateLimit, Reason, Settings as _,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// How full a node is, as the test says.
struct Level(VirtualTime, Mutex<f64>);

impl PressureSource for Level {
    fn pressure(&self) -> Option<Pressure> {
        Pressure::new(*self.1.lock().unwrap(), Clock::of(&self.0).now())
    }
}

/// What the store does.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Answers,
    Refuses,
    Hangs,
}

/// A store with moods, and when it was asked.
struct Moody {
    inner: MemoryCluster,
    clock: Clock,
    mood: Mutex<Mood>,
    asked: Mutex<Vec<Duration>>,
}

impl ClusterStore for Moody {
    async fn beat(&self, member: &Member, expiry: Duration) -> Result<Vec<Member>, Error> {
        self.asked.lock().unwrap().push(self.clock.now());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => self.inner.beat(member, expiry).await,
            Mood::Refuses => Err(Error::new(ErrorKind::Disconnected, "gone")),
            Mood::Hangs => pending().await,
        }
    }
}

struct Node {
    cluster: Cluster,
    level: Arc<Level>,
    running: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

struct World {
    time: VirtualTime,
    store: Arc<Moody>,
    nodes: Vec<Node>,
}

impl World {
    fn of(pressures: &[f64]) -> Self {
        let time = VirtualTime::new();
        let store = Moody {
            inner: MemoryCluster::new(&time),
            clock: Clock::of(&time),
            mood: Mutex::new(Mood::Answers),
            asked: Mutex::default(),
        };
        let mut world = Self { time, store: Arc::new(store), nodes: Vec::new() };
        pressures.iter().for_each(|pressure| world.add(*pressure, 1.0));
        world
    }

    fn add(&mut self, pressure: f64, capacity: f64) {
        let level = Arc::new(Level(self.time.clone(), Mutex::new(pressure)));
        // Names with what others take for separators.
        let node = format!("node:{}", self.nodes.len());
        let config = ClusterConfig { capacity, ..ClusterConfig::of(&node) };
        let source = Arc::<Level>::clone(&level);
        let random = Random::seeded(self.nodes.len() as u64 + 1);
        let cluster = Cluster::with_random("test", config, source, &self.time, random).unwrap();
        let running = Box::pin(cluster.run(Arc::clone(&self.store)));
        self.nodes.push(Node { cluster, level, running: Some(running) });
    }

    fn mood(&self, mood: Mood) {
        *self.store.mood.lock().unwrap() = mood;
    }

    fn go_on(&mut self, time: Duration) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..time.as_millis() / 10 {
            for running in self.nodes.iter_mut().filter_map(|node| node.running.as_mut()) {
                assert!(running.as_mut().poll(&mut cx).is_pending());
            }
            self.time.advance(MS * 10);
        }
    }

    /// How many of a thousand each node accepts.
    fn accepted(&self) -> Vec<usize> {
        let of = |node: &Node| (0..1_000).filter(|_| node.cluster.try_acquire().is_ok()).count();
        self.nodes.iter().map(of).collect()
    }
}

#[test]
fn a_node_that_is_fuller_accepts_less_and_none_is_starved_by_an_idle_one() {
    let mut world = World::of(&[0.0, 0.5, 0.8, 0.96]);
    world.go_on(SECOND * 3);
    let accepted = world.accepted();
    // The mean is 0.565: 0.5 / 0.435 * 1.1 is above 1, 0.2 / 0.435 * 1.1 is 0.506.
    assert_eq!((accepted[0], accepted[1], accepted[3]), (1_000, 1_000, 0));
    assert!((450..=560).contains(&accepted[2]), "{accepted:?}");
    let refused = world.nodes[3].cluster.try_acquire().unwrap_err();
    assert_eq!((refused.reason, refused.retry_after), (Reason::Cluster, Some(SECOND)));
    assert!(world.nodes.iter().all(|node| node.cluster.snapshot().balance.is_whole()));
    let snapshot = world.nodes[2].cluster.snapshot();
    assert!((snapshot.mean.unwrap() - 0.565).abs() < 1e-9 && snapshot.n_nodes == 4);
}

#[test]
fn equal_nodes_accept_alike_and_at_the_ceiling_none_does() {
    let mut world = World::of(&[0.7; 20]);
    world.go_on(SECOND * 3);
    assert!(world.accepted().iter().all(|n| *n == 1_000), "nobody is fuller than the others");
    // With noise of some percent, headroom has them accept alike still.
    for (index, node) in world.nodes.iter().enumerate() {
        *node.level.1.lock().unwrap() = 0.7 + 0.001 * index as f64;
    }
    world.go_on(SECOND * 3);
    let accepted = world.accepted();
    let mean = accepted.iter().sum::<usize>() as f64 / 20.0;
    let variance = accepted.iter().map(|n| (*n as f64 - mean).powi(2)).sum::<f64>() / 20.0;
    assert!(variance.sqrt() / mean <= 0.05, "{accepted:?}");
    world.nodes.iter().for_each(|node| *node.level.1.lock().unwrap() = 0.95);
    assert_eq!(world.accepted(), [0; 20]);
}

#[test]
fn capacity_weighs() {
    let mut world = World::of(&[0.9]);
    world.add(0.1, 9.0);
    world.go_on(SECOND * 3);
    let snapshot = world.nodes[0].cluster.snapshot();
    assert!((snapshot.mean.unwrap() - 0.18).abs() < 1e-9);
    assert!((snapshot.share - 0.1).abs() < 1e-9);
}

#[test]
fn a_node_that_is_gone_is_forgotten_within_its_expiry() {
    let mut world = World::of(&[0.0, 0.8]);
    world.go_on(SECOND * 3);
    assert!(world.accepted()[1] < 500);
    world.nodes[0].running = None;
    world.go_on(SECOND * 4 + MS * 300);
    assert_eq!(world.nodes[1].cluster.snapshot().n_nodes, 1);
    assert_eq!(world.accepted()[1], 1_000, "it does what it can");
}

#[test]
fn without_a_store_nodes_go_by_themselves_within_two_beats_and_nothing_fails() {
    for mood in [Mood::Refuses, Mood::Hangs] {
        let mut world = World::of(&[0.0, 0.8]);
        world.go_on(SECOND * 5);
        assert!(world.accepted()[1] < 500);
        world.mood(mood);
        world.go_on(SECOND * 2 + MS * 20);
        let snapshot = world.nodes[1].cluster.snapshot();
        assert!(snapshot.is_local_only);
        assert_eq!(world.accepted(), [1_000, 1_000]);
        // But not beyond its own ceiling.
        *world.nodes[1].level.1.lock().unwrap() = 0.99;
        assert_eq!(world.accepted()[1], 0);
        *world.nodes[1].level.1.lock().unwrap() = 0.8;

        world.mood(Mood::Answers);
        world.go_on(SECOND * 12);
        assert!(!world.nodes[1].cluster.snapshot().is_local_only);
        assert!(world.accepted()[1] < 500);
    }
}

#[test]
fn nodes_that_lost_the_store_together_do_not_come_back_together() {
    let mut world = World::of(&[0.5; 30]);
    world.go_on(SECOND * 3);
    world.mood(Mood::Refuses);
    world.go_on(SECOND * 60);
    world.store.asked.lock().unwrap().clear();
    world.go_on(SECOND * 20);
    let asked = world.store.asked.lock().unwrap().clone();
    // Every 5 to 10 s each: less often than beats, and spread.
    assert!((60..=130).contains(&asked.len()), "{}", asked.len());
    let first = asked[0];
    let busiest = (0..20)
        .map(|second| {
            let from = first + SECOND * second;
            asked.iter().filter(|at| (from..from + SECOND).contains(*at)).count()
        })
        .max();
    assert!(busiest.unwrap() <= 15, "{busiest:?} of 30 nodes in one second");
}

#[test]
fn a_rate_of_the_cluster_is_divided_and_never_given_twice() {
    let mut world = World::of(&[0.1; 4]);
    let total = RateConfig { rate: 400.0, burst: 40 };
    let mut limits: Vec<RateLimit> = Vec::new();
    let add = |world: &World, limits: &mut Vec<RateLimit>| {
        let limit = RateLimit::new("test", RateConfig::default(), &world.time).unwrap();
        world.nodes[limits.len()].cluster.divide_rate(&limit, total).unwrap();
        limits.push(limit);
    };
    (0..4).for_each(|_| add(&world, &mut limits));
    let sum = |limits: &[RateLimit]| limits.iter().map(|limit| limit.config().rate).sum::<f64>();
    assert!(sum(&limits) < 1.0, "nobody knows of the others yet");
    world.go_on(SECOND * 4);
    assert!((sum(&limits) - 400.0).abs() < 1e-6);
    // Another comes: at no time is more given than there is.
    world.add(0.1, 4.0);
    add(&world, &mut limits);
    for _ in 0..400 {
        world.go_on(MS * 10);
        assert!(sum(&limits) <= 400.0 + 1e-3, "{}", sum(&limits));
    }
    assert!((limits[4].config().rate - 200.0).abs() < 1e-6);
    assert_eq!(limits[4].config().burst, 20);
    // The store is gone: all keep what they had.
    world.mood(Mood::Refuses);
    world.go_on(SECOND * 20);
    assert!((sum(&limits) - 400.0).abs() < 1e-6);
    // One is gone: the others have its part.
    world.mood(Mood::Answers);
    world.go_on(SECOND * 12);
    world.nodes[4].running = None;
    world.go_on(SECOND * 6);
    assert!((sum(&limits[..4]) - 400.0).abs() < 1e-6);
}

#[test]
fn credits_of_the_cluster_are_divided() {
    let mut world = World::of(&[0.1; 3]);
    let total = CreditsConfig { resume_at: 30, ..CreditsConfig::fixed(90) };
    let windows: Vec<Credits> = (0..3)
        .map(|index| {
            let credits = Credits::new("test", CreditsConfig::fixed(1), &world.time).unwrap();
            world.nodes[index].cluster.divide_credits(&credits, total.clone()).unwrap();
            credits
        })
        .collect();
    world.go_on(SECOND * 4);
    for credits in &windows {
        assert_eq!((credits.snapshot().window, credits.config().resume_at), (30, 10));
    }
    let wrong = CreditsConfig { min_credits: 0, ..CreditsConfig::default() };
    assert!(world.nodes[0].cluster.divide_credits(&windows[0], wrong).is_err());
}

#[test]
fn settings_are_checked_and_nonsense_of_a_store_is_not_counted() {
    let setting = |config: ClusterConfig| config.validate().unwrap_err().setting().to_owned();
    let config = || ClusterConfig::of("a");
    assert_eq!(setting(ClusterConfig::default()), "node");
    assert_eq!(setting(ClusterConfig { capacity: 0.0, ..config() }), "capacity");
    assert_eq!(setting(ClusterConfig { expiry: SECOND * 2, ..config() }), "expiry");
    assert_eq!(setting(ClusterConfig { ceiling: 1.5, ..config() }), "ceiling");
    assert_eq!(setting(ClusterConfig { headroom: f64::NAN, ..config() }), "headroom");

    /// Says what makes no sense.
    struct Confused;
    impl ClusterStore for Confused {
        async fn beat(&self, member: &Member, _: Duration) -> Result<Vec<Member>, Error> {
            let of = |pressure: f64, capacity: f64| Member {
                node: "other".to_owned(),
                pressure,
                capacity,
            };
            let nonsense = [of(f64::NAN, 1.0), of(0.5, 0.0), of(0.5, f64::INFINITY), of(7.0, 1.0)];
            Ok([member.clone()].into_iter().chain(nonsense).collect())
        }
    }
    let world = World::of(&[0.5]);
    let cluster = &world.nodes[0].cluster;
    let mut running = Box::pin(cluster.run(Confused));
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let snapshot = cluster.snapshot();
    assert_eq!((snapshot.mean, snapshot.n_nodes), (Some(0.75), 2));
}
