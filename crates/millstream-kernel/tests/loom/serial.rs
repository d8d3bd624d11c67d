//! Exclusive turns.

use std::sync::Arc;

use loom::{cell::UnsafeCell, thread};
use millstream_kernel::{Handler, Serial, oneshot};

use crate::support::model;

struct Sum {
    sum: UnsafeCell<u64>,
    result: Option<oneshot::Sender<u64>>,
    n_left: u32,
}

impl Handler for Sum {
    type Message = u64;

    fn handle(&mut self, message: u64) {
        // SAFETY: a plain write; loom watches that no other thread is here.
        let sum = self.sum.with_mut(|sum| unsafe {
            *sum += message;
            *sum
        });
        self.n_left -= 1;
        if self.n_left == 0 {
            self.result.take().unwrap().send(sum);
        }
    }
}

/// Two threads send: both messages are handled, one at a time.
///
/// Kills: the handler is put back without a look into the mailbox.
#[test]
fn messages_that_race_are_all_handled() {
    model(2, &[Some(3)], || {
        let (sender, receiver) = oneshot::channel();
        let sum = Sum { sum: UnsafeCell::new(0), result: Some(sender), n_left: 2 };
        let serial = Arc::new(Serial::new(sum));
        let other = {
            let serial = Arc::clone(&serial);
            thread::spawn(move || serial.send(1))
        };
        serial.send(2);
        other.join().unwrap();

        loom::future::block_on(receiver)
    });
}
