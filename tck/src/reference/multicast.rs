//! One source for many subscribers, in lock step.
//!
//! # States
//!
//! The hub is idle, and then it has the source; or one call is busy and has taken it.
//! That call goes on until, under the lock, there is nothing to do: what others do meanwhile, they
//! do under the lock, so nothing is missed. A seat without a subscriber belongs to a call that is
//! inside the subscriber.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use reactive_streams::{BoxSubscriber, Demand, Error, Offer, Publisher, Subscriber, Subscription};

use crate::sync::lock;

/// A publisher of the items of `iterator`, whose clones share them: all subscribers get the same
/// items, from the time they subscribe, and none gets an item before each of them has asked for
/// one.
pub fn multicast<I>(iterator: I) -> Multicast<I::IntoIter>
where
    I: IntoIterator<Item: Clone>,
{
    let state =
        State { source: Some(iterator.into_iter()), seats: Vec::new(), n_seats: 0, end: None };
    Multicast(Arc::new(Hub(Mutex::new(state))))
}

/// The publisher that [`multicast()`] returns.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Multicast<I: Iterator>(Arc<Hub<I>>);

impl<I: Iterator> Clone for Multicast<I> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I: Iterator> fmt::Debug for Multicast<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multicast").finish_non_exhaustive()
    }
}

struct Hub<I: Iterator>(Mutex<State<I>>);

struct State<I: Iterator> {
    /// There while nobody is busy.
    source: Option<I>,
    seats: Vec<Seat<I::Item>>,
    n_seats: u64,
    end: Option<Result<(), Error>>,
}

struct Seat<T> {
    id: u64,
    /// Not there while a call is inside of it.
    subscriber: Option<BoxSubscriber<T>>,
    demand: Demand,
    stop: Option<Stop>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Canceled,
    /// Zero items were requested (rule 3.9).
    Illegal,
}

/// What the busy call does next, without the lock.
enum Next<T> {
    Fetch,
    End(BoxSubscriber<T>, Result<(), Error>),
    Leave,
}

impl<I> Publisher for Multicast<I>
where
    I: Iterator<Item: Clone + Send + 'static> + Send + 'static,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, mut subscriber: S) {
        let hub = self.0;
        let id = {
            let mut state = lock(&hub.0);
            state.n_seats += 1;
            let id = state.n_seats;
            let seat = Seat { id, subscriber: None, demand: Demand::ZERO, stop: None };
            state.seats.push(seat);
            id
        };
        let ticket = Ticket { hub: Arc::clone(&hub), id };
        let entered =
            catch_unwind(AssertUnwindSafe(|| subscriber.on_subscribe(Arc::new(ticket)))).is_ok();
        let left = hub.put_back(id, BoxSubscriber::new(subscriber), entered);
        drop(left);
        hub.work();
    }
}

impl<I> Hub<I>
where
    I: Iterator<Item: Clone + Send + 'static> + Send + 'static,
{
    /// Gives a subscriber its seat again, or gives it back if it has left, or must.
    fn put_back(
        &self,
        id: u64,
        subscriber: BoxSubscriber<I::Item>,
        stays: bool,
    ) -> Option<BoxSubscriber<I::Item>> {
        let mut state = lock(&self.0);
        let Some(index) = state.seats.iter().position(|seat| seat.id == id) else {
            return Some(subscriber);
        };
        if !stays || state.seats[index].stop == Some(Stop::Canceled) {
            state.seats.remove(index);
            return Some(subscriber);
        }
        state.seats[index].subscriber = Some(subscriber);
        None
    }

    /// Does what there is to do, unless another call does so already.
    fn work(&self) {
        let Some(mut source) = lock(&self.0).source.take() else { return };
        loop {
            let is_empty = catch_unwind(AssertUnwindSafe(|| source.size_hint().1 == Some(0)));
            let next = {
                let mut state = lock(&self.0);
                if is_empty.is_ok_and(|is_empty| is_empty) {
                    state.end.get_or_insert(Ok(()));
                }
                let next = state.next();
                if matches!(next, Next::Leave) {
                    state.source = Some(source);
                    return;
                }
                next
            };
            match next {
                Next::Fetch => self.fetch(&mut source),
                Next::End(subscriber, end) => {
                    // The subscriber's panic ends nobody else's stream (rule 2.13).
                    let end = || match end {
                        Ok(()) => subscriber.on_complete(),
                        Err(error) => subscriber.on_error(error),
                    };
                    drop(catch_unwind(AssertUnwindSafe(end)));
                }
                Next::Leave => {}
            }
        }
    }

    /// Sends the next item to all who sit.
    fn fetch(&self, source: &mut I) {
        let item = match catch_unwind(AssertUnwindSafe(|| source.next())) {
            Ok(Some(item)) => item,
            Ok(None) => return lock(&self.0).end = Some(Ok(())),
            Err(payload) => {
                return lock(&self.0).end = Some(Err(Error::panicked(&*payload)));
            }
        };
        let ids: Vec<u64> = lock(&self.0).seats.iter().map(|seat| seat.id).collect();
        for id in ids {
            let Some(mut subscriber) = lock(&self.0).take_for_item(id) else { continue };
            let item = item.clone();
            let offer = catch_unwind(AssertUnwindSafe(|| subscriber.offer(item)));
            if let Ok(Offer::Skipped) = offer {
                lock(&self.0).add_demand(id, 1);
            }
            let stays = matches!(offer, Ok(Offer::Accepted | Offer::Skipped));
            drop(self.put_back(id, subscriber, stays));
        }
    }
}

impl<I: Iterator> State<I> {
    fn next(&mut self) -> Next<I::Item> {
        // A canceled seat is removed by the cancel, or when its subscriber comes back.
        let illegal = self.seats.iter_mut().find_map(|seat| {
            seat.subscriber
                .take_if(|_| seat.stop == Some(Stop::Illegal))
                .map(|taken| (seat.id, taken))
        });
        if let Some((id, subscriber)) = illegal {
            self.seats.retain(|seat| seat.id != id);
            return Next::End(subscriber, Err(Error::illegal_request()));
        }
        if let Some(end) = self.end.clone() {
            let index = self.seats.iter().position(|seat| seat.subscriber.is_some());
            let subscriber = index.and_then(|index| self.seats.remove(index).subscriber);
            return subscriber.map_or(Next::Leave, |subscriber| Next::End(subscriber, end));
        }
        let is_ready = |seat: &Seat<_>| seat.subscriber.is_some() && !seat.demand.is_zero();
        match !self.seats.is_empty() && self.seats.iter().all(is_ready) {
            true => Next::Fetch,
            false => Next::Leave,
        }
    }

    /// The subscriber in this seat, if it can be given an item, for which its demand is then used.
    fn take_for_item(&mut self, id: u64) -> Option<BoxSubscriber<I::Item>> {
        let seat = self.seats.iter_mut().find(|seat| seat.id == id)?;
        // Who came after the decision to send has asked for nothing yet, and misses this item.
        if seat.subscriber.is_none() || seat.stop.is_some() || seat.demand.take(1) == 0 {
            return None;
        }
        seat.subscriber.take()
    }

    fn add_demand(&mut self, id: u64, n: u64) {
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.id == id) {
            seat.demand.add(n);
        }
    }
}

/// One subscriber's seat, from outside.
struct Ticket<I: Iterator> {
    hub: Arc<Hub<I>>,
    id: u64,
}

impl<I> Subscription for Ticket<I>
where
    I: Iterator<Item: Clone + Send + 'static> + Send + 'static,
{
    fn request(&self, n: u64) {
        let mut state = lock(&self.hub.0);
        if n > 0 {
            state.add_demand(self.id, n);
        } else if let Some(seat) = state.seats.iter_mut().find(|seat| seat.id == self.id) {
            seat.stop.get_or_insert(Stop::Illegal);
        }
        drop(state);
        self.hub.work();
    }

    fn cancel(&self) {
        let mut state = lock(&self.hub.0);
        let index = state.seats.iter().position(|seat| seat.id == self.id);
        let seat = index.map(|index| {
            state.seats[index].stop = Some(Stop::Canceled);
            let subscriber = state.seats[index].subscriber.take();
            if subscriber.is_some() {
                state.seats.remove(index);
            }
            subscriber
        });
        drop(state);
        drop(seat);
        // The others may have waited for this one alone.
        self.hub.work();
    }
}
