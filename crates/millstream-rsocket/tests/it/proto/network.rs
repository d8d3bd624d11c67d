//! Two sides that do what they like, over a network that takes its time and may go away, by seeds.
//!
//! Each seed plays one connection: both sides open streams, request, send, complete, fail and
//! cancel at random, and frames arrive late, in bursts, or not at all after the network went away.

use std::collections::{HashMap, VecDeque};

use millstream_rsocket::{
    ErrorCode, Payload,
    frame::Frame,
    proto::{Config, Connection, Event, Interaction, Request, Role},
};

use super::{Pair, at};

/// Numbers by splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// What one side knows of a stream.
#[derive(Debug, Default)]
struct Known {
    /// Items that were asked for and have not come.
    demand: u64,
    /// The number that the next item has to have.
    next_in: u32,
    next_out: u32,
    receives: bool,
    sends: bool,
}

/// One side, and what it has seen.
struct Side {
    connection: Connection,
    streams: HashMap<u32, Known>,
    n_items: u64,
    n_ended: u64,
    is_over: bool,
}

impl Side {
    fn new(connection: Connection) -> Self {
        Self { connection, streams: HashMap::new(), n_items: 0, n_ended: 0, is_over: false }
    }

    /// Does something at random.
    fn act(&mut self, random: &mut Random) {
        let ids: Vec<u32> = {
            let mut ids: Vec<u32> = self.streams.keys().copied().collect();
            ids.sort_unstable();
            ids
        };
        let choice = random.below(10);
        if ids.is_empty() || choice == 0 {
            return self.open(random);
        }
        let id = ids[random.below(ids.len() as u64) as usize];
        let is_ours = self.is_ours(id);
        let known = self.streams.get_mut(&id).unwrap();
        match choice {
            1..=3 if known.receives => {
                let n = 1 + random.below(4);
                known.demand += n;
                self.connection.request(id, n);
            }
            4..=7 if known.sends => {
                let mut data = known.next_out.to_be_bytes().to_vec();
                data.resize(4 + random.below(200) as usize, 7);
                if self.connection.send(id, Payload::from(data), false) {
                    known.next_out += 1;
                }
            }
            8 if known.sends && random.below(3) == 0 => {
                known.sends = false;
                if random.below(2) == 0 {
                    self.connection.complete(id);
                } else {
                    known.receives = false;
                    self.connection.fail_stream(id, ErrorCode::APPLICATION_ERROR, "at random");
                }
            }
            9 if known.receives && random.below(3) == 0 => {
                known.receives = false;
                if is_ours {
                    known.sends = false;
                }
                self.connection.cancel(id);
            }
            _ => {}
        }
        self.forget(id);
    }

    fn is_ours(&self, id: u32) -> bool {
        (id % 2 == 1) == (self.connection.role() == Role::Client)
    }

    fn forget(&mut self, id: u32) {
        if self.streams.get(&id).is_some_and(|known| !known.receives && !known.sends) {
            self.streams.remove(&id);
            self.n_ended += 1;
        }
    }

    fn open(&mut self, random: &mut Random) {
        let (interaction, sends) = match random.below(2) {
            0 => (Interaction::Stream, false),
            _ => (Interaction::Channel, true),
        };
        let demand = 1 + random.below(3);
        let payload = Payload::from(vec![9; random.below(300) as usize]);
        let request = Request { interaction, payload, demand, is_complete: false };
        if let Ok(id) = self.connection.open(request) {
            let known = Known { demand, receives: true, sends, ..Known::default() };
            assert!(self.streams.insert(id, known).is_none(), "stream {id} is in use");
        }
    }

    /// Sees what happened, and that nothing did that must not.
    fn see(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            match event {
                Event::Request { id, interaction, .. } => {
                    let receives = interaction == Interaction::Channel;
                    let known = Known { sends: true, receives, ..Known::default() };
                    assert!(self.streams.insert(id, known).is_none());
                }
                Event::Item { id, payload, is_last } => {
                    let known = self.streams.get_mut(&id).expect("an item of a known stream");
                    assert!(known.receives, "an item after the end");
                    assert!(known.demand > 0, "an item that nobody asked for");
                    known.demand -= 1;
                    let number = u32::from_be_bytes(payload.data[..4].try_into().unwrap());
                    assert_eq!(number, known.next_in, "an item out of order");
                    known.next_in += 1;
                    known.receives = !is_last;
                    self.n_items += 1;
                    self.forget(id);
                }
                Event::Completed { id } => {
                    let known = self.streams.get_mut(&id).expect("the end of a known stream");
                    assert!(std::mem::take(&mut known.receives), "an end after the end");
                    self.forget(id);
                }
                Event::Failed { id, .. } => {
                    let known = self.streams.get_mut(&id).expect("the end of a known stream");
                    (known.receives, known.sends) = (false, false);
                    self.forget(id);
                }
                Event::Canceled { id } => {
                    let is_ours = self.is_ours(id);
                    let known = self.streams.get_mut(&id).expect("the end of a known stream");
                    known.sends = false;
                    if !is_ours {
                        known.receives = false;
                    }
                    self.forget(id);
                }
                Event::Credit { .. } => {}
                Event::Closed(_) => self.is_over = true,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Plays one seed. Returns how many items came, and how many streams ended.
fn play(seed: u64) -> (u64, u64) {
    let mut random = Random(seed);
    let mut config = || Config {
        fragment: 64 + random.below(100) as usize,
        max_streams: 8,
        ..Config::default()
    };
    let pair = Pair::with(config(), config());
    let mut sides = [Side::new(pair.client), Side::new(pair.server)];
    let mut pipes: [VecDeque<(u64, Frame)>; 2] = Default::default();
    // The network may go away, with what is in it.
    let breaks_at = if random.below(3) == 0 { random.below(4000) } else { u64::MAX };
    for now in 0..4000_u64 {
        let from = random.below(2) as usize;
        if now < 3000 {
            sides[from].act(&mut random);
        } else {
            // Both take what still comes, and end what is open.
            let ids: Vec<u32> = sides[from].streams.keys().copied().collect();
            for id in ids {
                sides[from].connection.complete(id);
                sides[from].connection.cancel(id);
                sides[from].streams.remove(&id);
            }
        }
        for _ in 0..random.below(3) {
            if let Some(frame) = sides[from].connection.poll_frame() {
                let arrives = now + random.below(20);
                let arrives = pipes[from].back().map_or(arrives, |(last, _)| arrives.max(*last));
                pipes[from].push_back((arrives, frame));
            }
        }
        if now >= breaks_at {
            pipes.iter_mut().for_each(VecDeque::clear);
            continue;
        }
        for (to, pipe) in [(1, 0), (0, 1)] {
            while pipes[pipe].front().is_some_and(|(arrives, _)| *arrives <= now) {
                let (_, frame) = pipes[pipe].pop_front().unwrap();
                sides[to].connection.receive(frame, at(now));
                sides[to].see();
            }
        }
    }
    if breaks_at == u64::MAX {
        for side in &mut sides {
            assert!(!side.is_over, "a connection between two that obey goes on");
        }
    } else {
        // Nobody hears anything any more: both find out.
        for side in &mut sides {
            side.connection.tick(at(200_000));
            side.see();
            assert!(side.is_over);
            assert_eq!(side.connection.n_streams(), 0);
        }
    }
    let total = |count: fn(&Side) -> u64| sides.iter().map(count).sum();
    (total(|side| side.n_items), total(|side| side.n_ended))
}

#[test]
fn streams_obey_over_any_network() {
    let n_seeds = std::env::var("RSOCKET_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let first = std::env::var("RSOCKET_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let (mut n_items, mut n_ended) = (0, 0);
    for seed in first..first + n_seeds {
        let played = std::panic::catch_unwind(|| play(seed));
        let (items, ended) =
            played.unwrap_or_else(|_| panic!("RSOCKET_SEED={seed} RSOCKET_SEEDS=1 shows it"));
        n_items += items;
        n_ended += ended;
    }
    // A network on which nothing happens proves nothing.
    assert!(n_items > 100 * n_seeds && n_ended > 10 * n_seeds, "{n_items} {n_ended}");
}
