//! A proxy of bytes between a client and a server, which breaks what passes.

use std::{
    collections::BTreeSet,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// What a [`Proxy`] does with what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Passes it on.
    None,
    /// Passes it on after this time.
    Delay(Duration),
    /// Passes on one byte at a time, with this time between them.
    Slow(Duration),
    /// Keeps it, with all connections open: the other side looks as if it thought.
    Hold,
    /// Passes on what clients send, and nothing of what the server answers.
    HalfOpen,
}

/// Listens on a port of its own, and passes bytes on to a server and back, until it is told to
/// break that. Ends with this value, and with it its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    is_changed: Condvar,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    is_over: bool,
    /// Both ends of each connection.
    open: Vec<[TcpStream; 2]>,
    n_accepted: usize,
}

impl Proxy {
    /// In front of the server that listens at `port` of this machine.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let state = State { fault: Fault::None, is_over: false, open: Vec::new(), n_accepted: 0 };
        let shared = Arc::new(Shared {
            server: (Ipv4Addr::LOCALHOST, port).into(),
            state: Mutex::new(state),
            is_changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        start(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// The port at which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Does this from now on, with what is on its way too.
    pub fn set(&self, fault: Fault) {
        self.shared.lock().fault = fault;
        self.shared.is_changed.notify_all();
    }

    /// Ends all connections. Those that come afterwards are served.
    pub fn cut(&self) {
        let open = std::mem::take(&mut self.shared.lock().open);
        for stream in open.iter().flatten() {
            // One that has ended already is over.
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// Breaks what passes in twelve ways, and has a consumer get five more items after each.
    /// Returns how many have come.
    ///
    /// `ask` asks for so many; `take` acknowledges those that have come, and returns their numbers.
    /// One whose acknowledgement was lost comes again, and is asked for again.
    ///
    /// # Panics
    ///
    /// If items do not come within `patience`.
    #[expect(clippy::disallowed_methods, reason = "servers take time")]
    pub fn break_for(
        &self,
        patience: Duration,
        ask: impl Fn(u64),
        mut take: impl FnMut() -> Vec<u64>,
    ) -> usize {
        let faults = [
            Fault::None,
            Fault::Delay(Duration::from_millis(20)),
            Fault::Hold,
            Fault::HalfOpen,
            Fault::Slow(Duration::from_micros(200)),
        ];
        let mut seen = BTreeSet::new();
        for (index, fault) in faults.into_iter().cycle().take(12).enumerate() {
            self.set(fault);
            ask(5);
            thread::sleep(Duration::from_millis(60));
            if index % 3 == 2 {
                self.cut();
            }
            self.set(Fault::None);
            let (start, wanted) = (Instant::now(), 5 * (index + 1));
            while seen.len() < wanted && start.elapsed() < patience {
                for number in take() {
                    if !seen.insert(number) {
                        ask(1);
                    }
                }
                thread::sleep(Duration::from_millis(25));
            }
            assert!(seen.len() >= wanted, "{} of {wanted} after {fault:?}", seen.len());
        }
        seen.len()
    }

    /// How many connections have come so far.
    #[must_use]
    pub fn n_accepted(&self) -> usize {
        self.shared.lock().n_accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.is_changed.notify_all();
        self.cut();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics under the lock")
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.lock().is_over {
                return;
            }
            // A client whose server is away is sent away.
            let Ok(client) = client else { continue };
            let Ok(server) = TcpStream::connect(self.server) else { continue };
            let Some(ends) = twice(&client).zip(twice(&server)) else { continue };
            let ([to_read, to_keep], [read, keep]) = ends;
            let mut state = self.lock();
            state.n_accepted += 1;
            state.open.push([to_keep, keep]);
            drop(state);
            let (there, back) = (Arc::clone(self), Arc::clone(self));
            start(move || there.pass(to_read, server, true));
            start(move || back.pass(read, client, false));
        }
    }

    /// Passes bytes on until one side ends.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_there: bool) {
        let mut bytes = [0; 4_096];
        while let Ok(n) = from.read(&mut bytes) {
            if n == 0 || self.write(&bytes[..n], &mut to, is_there).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
        from.shutdown(Shutdown::Both).ok();
    }

    fn write(&self, bytes: &[u8], to: &mut TcpStream, is_there: bool) -> io::Result<()> {
        let holds = |state: &mut State| {
            let is_held =
                state.fault == Fault::Hold || (state.fault == Fault::HalfOpen && !is_there);
            is_held && !state.is_over
        };
        let state = self.is_changed.wait_while(self.lock(), holds);
        let fault = state.expect("nobody panics under the lock").fault;
        match fault {
            Fault::Slow(pause) => bytes.chunks(1).try_for_each(|byte| {
                wait(pause);
                to.write_all(byte)
            }),
            Fault::Delay(delay) => {
                wait(delay);
                to.write_all(bytes)
            }
            Fault::None | Fault::Hold | Fault::HalfOpen => to.write_all(bytes),
        }
    }
}

fn twice(stream: &TcpStream) -> Option<[TcpStream; 2]> {
    Some([stream.try_clone().ok()?, stream.try_clone().ok()?])
}

#[expect(clippy::disallowed_methods, reason = "a proxy beside real servers takes real time")]
fn wait(time: Duration) {
    thread::sleep(time);
}

#[expect(clippy::disallowed_methods, reason = "a proxy beside real servers is no scheduler's")]
fn start(work: impl FnOnce() + Send + 'static) {
    thread::spawn(work);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A server that says back what it hears, and a client by the proxy.
    fn echo() -> (Proxy, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap().port());
        start(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                start(move || {
                    let mut copy = stream.try_clone().unwrap();
                    io::copy(&mut copy, &mut stream).ok();
                });
            }
        });
        let client = TcpStream::connect(proxy.address).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        (proxy, client)
    }

    fn says_back(mut client: &TcpStream, text: &[u8]) -> bool {
        let mut answer = vec![0; text.len()];
        client.write_all(text).is_ok() && client.read_exact(&mut answer).is_ok() && answer == text
    }

    #[test]
    fn bytes_pass_and_are_held_and_cut_as_it_is_told() {
        let (proxy, mut client) = echo();
        assert!(says_back(&client, b"hello"));
        for fault in [Fault::Hold, Fault::HalfOpen] {
            proxy.set(fault);
            assert!(!says_back(&client, b"held"));
            proxy.set(Fault::None);
            let mut late = [0; 4];
            client.read_exact(&mut late).unwrap();
            assert_eq!(&late, b"held");
        }
        proxy.cut();
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        assert_eq!(proxy.n_accepted(), 1);
        let again = TcpStream::connect(proxy.address).unwrap();
        again.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert!(says_back(&again, b"again"));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is delayed takes time")]
    fn bytes_are_late_and_slow_as_it_is_told() {
        let (proxy, client) = echo();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let times = [
            (Fault::Delay(Duration::from_millis(20)), 40),
            (Fault::Slow(Duration::from_millis(5)), 50),
        ];
        for (fault, least) in times {
            proxy.set(fault);
            let start = Instant::now();
            assert!(says_back(&client, b"bytes"));
            assert!(start.elapsed() >= Duration::from_millis(least), "{fault:?}");
        }
    }
}
