//! The queue beside a plain model, under random commands.

use std::collections::VecDeque;

use millstream_spill::{Config, Durability, Spill, codec::Bytes, storage::Simulated};
use proptest::prelude::*;

use crate::{disk, small};

#[derive(Clone, Debug)]
enum Command {
    Send(Vec<u8>),
    SendAll(Vec<Vec<u8>>),
    Receive(usize),
    Acknowledge,
    Rewind,
    Reopen,
}

fn command() -> impl Strategy<Value = Command> {
    let item = || prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        4 => item().prop_map(Command::Send),
        3 => prop::collection::vec(item(), 0..8).prop_map(Command::SendAll),
        4 => (1..9_usize).prop_map(Command::Receive),
        2 => Just(Command::Acknowledge),
        1 => Just(Command::Rewind),
        1 => Just(Command::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_a_list_does(
        commands in prop::collection::vec(command(), 1..60),
        is_synced in any::<bool>(),
    ) {
        let durability = if is_synced { Durability::Each } else { Durability::Process };
        let config = Config { max_bytes: 1 << 20, ..small(durability) };
        let storage = Simulated::new();
        let open = || Spill::on(storage.clone()).config(config.clone()).open(Bytes, disk());
        let (mut sender, mut receiver) = open().expect("it is new");
        let mut items: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        let (mut next, mut n_received) = (0, 0);
        for command in commands {
            match command {
                Command::Send(item) => {
                    items.push_back((next, item.clone()));
                    next += 1;
                    sender.send_blocking(item).expect("there is room");
                }
                Command::SendAll(many) => {
                    for item in &many {
                        items.push_back((next, item.clone()));
                        next += 1;
                    }
                    sender.send_all_blocking(many).expect("there is room");
                }
                Command::Receive(n) => {
                    for _ in 0..n {
                        let entry = receiver.try_recv().expect("sound");
                        let entry = entry.map(|entry| (entry.sequence, entry.item));
                        prop_assert_eq!(entry.as_ref(), items.get(n_received));
                        n_received += usize::from(entry.is_some());
                    }
                }
                Command::Acknowledge => {
                    if let Some((sequence, _)) = n_received.checked_sub(1).and_then(|at| items.get(at)) {
                        receiver.acknowledge_blocking(*sequence).expect("it can be written");
                        items.drain(..n_received);
                        n_received = 0;
                    }
                }
                Command::Rewind => {
                    receiver.rewind();
                    n_received = 0;
                }
                Command::Reopen => {
                    drop((sender, receiver));
                    (sender, receiver) = open().expect("it was closed");
                    prop_assert_eq!(receiver.recovered().items, items.len() as u64);
                    n_received = 0;
                }
            }
            let snapshot = receiver.snapshot();
            prop_assert!(snapshot.is_whole());
            prop_assert_eq!(snapshot.depth, (items.len() - n_received) as u64);
            prop_assert_eq!(snapshot.unacknowledged, n_received as u64);
        }
    }
}
