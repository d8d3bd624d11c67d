//! Bridges under the TCK.

use millstream::bridge::{from_broadcast, from_broadcast_lossy, from_receiver, from_watch};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tokio::sync::{broadcast, mpsc, watch};

/// What is filled before it is subscribed to cannot be of any length.
const FILLED: Capabilities = Capabilities::new().max_length(1_000).asynchronous();

publisher_tests!(
    from_receiver,
    |n| {
        let (sender, receiver) = mpsc::channel(n.max(1) as usize);
        (0..n).for_each(|item| sender.try_send(item).unwrap());
        from_receiver(receiver)
    },
    FILLED
);
publisher_tests!(
    from_broadcast,
    |n| {
        let (sender, receiver) = broadcast::channel(n.max(1) as usize);
        (0..n).for_each(|item| assert!(sender.send(item).is_ok()));
        from_broadcast(receiver)
    },
    FILLED
);
publisher_tests!(
    from_broadcast_lossy,
    |n| {
        let (sender, receiver) = broadcast::channel(n.max(1) as usize);
        (0..n).for_each(|item| assert!(sender.send(item).is_ok()));
        from_broadcast_lossy(receiver, |_| Ok(()))
    },
    FILLED
);
publisher_tests!(
    from_watch,
    |_| from_watch(watch::channel(1).1),
    Capabilities::new().exact_length(1).asynchronous()
);
