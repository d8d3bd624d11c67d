//! Bells: what rings on the runner's own thread, and elsewhere.

use std::{
    sync::{Arc, Weak},
    thread,
};

use millstream_kernel::{Bells, Gate, ReadySet, Source, Step, Wake};
use parking_lot::Mutex;

use crate::support::{Recorder, Watch};

/// Notes what rang, and in what way, and rings `again` itself when it is asked.
struct Rung {
    ready: Arc<ReadySet>,
    heard: Arc<Mutex<Vec<(&'static str, usize)>>>,
    again: Vec<usize>,
    gate: Weak<dyn Wake>,
}

impl Source for Rung {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn rung(&mut self, indices: u64) {
        let indices = (0..64).filter(|index| indices >> index & 1 == 1);
        self.heard.lock().extend(indices.map(|index| ("noted", index)));
    }

    fn advance(&mut self) {
        self.ready.take(|index| self.heard.lock().push(("set", index)));
    }

    fn next(&mut self) -> Step<u64> {
        if let Some(gate) = self.gate.upgrade() {
            self.again.drain(..).for_each(|index| gate.ring(index));
        }
        Step::Pending
    }
}

/// A gate that was asked for an item, and then rung; and what it heard.
fn heard(again: &[usize], ring: impl FnOnce(Arc<dyn Wake>)) -> Vec<(&'static str, usize)> {
    let watch = Watch::default();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ready = Arc::new(ReadySet::new(200));
    let gate = Gate::start_with(|gate: &Weak<Gate<Rung, Recorder, Bells>>| {
        let (ready, heard, again) = (Arc::clone(&ready), Arc::clone(&heard), again.to_vec());
        let gate = Weak::clone(gate) as Weak<dyn Wake>;
        let bells = Bells(Arc::clone(&ready));
        (Rung { ready, heard, again, gate }, Recorder::new(&watch), bells)
    });
    watch.request(1);
    ring(gate);
    std::mem::take(&mut *heard.lock())
}

#[test]
fn a_bell_that_rings_inside_is_noted_without_the_set() {
    assert_eq!(heard(&[0, 63], |_| ()), [("noted", 0), ("noted", 63)]);
}

#[test]
fn a_bell_with_a_great_number_rings_by_the_set() {
    assert_eq!(heard(&[64, 199], |_| ()), [("set", 64), ("set", 199)]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another thread, to ring from")]
fn a_bell_that_rings_on_another_thread_is_heard() {
    let ring = |gate: Arc<dyn Wake>| thread::spawn(move || gate.ring(5)).join().unwrap();
    assert_eq!(heard(&[], ring), [("set", 5)]);
}
