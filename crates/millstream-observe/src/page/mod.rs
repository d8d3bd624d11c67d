//! `Page`: what runs, in a browser. Needs the feature `page`.

mod access;
mod assets;
mod controls;
mod feed;
mod io;
mod routes;

use std::{fmt, io as std_io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::ToSocketAddrs, sync::watch, task::JoinHandle};

pub use self::controls::{Control, Controls};
use self::{access::Access, feed::Feed, io::Listener};
use crate::{Health, HealthConfig, Inventory};

/// A live page of an inventory: the graph of what feeds what, with items a second and outstanding
/// demand on each edge, how full each queue is, the state of each policy and why it is so, and who
/// sets the pace.
///
/// The page is one document without anything from outside. Browsers are told what changes by
/// server-sent events: one that does not read loses frames, is dropped after a while, and costs
/// what runs nothing.
///
/// ```no_run
/// use millstream::scheduler::Pool;
/// use millstream_observe::{Inventory, page::Page};
///
/// # async fn run() -> std::io::Result<()> {
/// let inventory = Inventory::new("shop", &Pool::new(2));
/// let page = Page::serve("127.0.0.1:7777", &inventory).await?;
/// println!("http://{}", page.address());
/// // ... until it is dropped.
/// # Ok(())
/// # }
/// ```
///
/// # Who may see it
///
/// It binds to an address of this machine alone unless [`allow_remote`](Self::allow_remote) says
/// otherwise, and answers only those who call it by an address or a name that it has: a site that
/// lets its name point here is refused. Nothing can be changed, unless the program offers
/// [`Controls`], which need a token that other sites do not have. What is shown are names, counts
/// and settings of policies; names are shown as text.
#[derive(Clone, Debug)]
pub struct Page {
    inventory: Inventory,
    interval: Duration,
    controls: Controls,
    health: Option<Health>,
    token: Option<String>,
    hosts: Vec<String>,
    is_remote: bool,
    max_browsers: usize,
    is_for_machines: bool,
}

/// A page that is being served, until this is dropped.
#[must_use = "the page is gone when this is dropped"]
pub struct Serving {
    address: SocketAddr,
    server: JoinHandle<()>,
    feed: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// How often the inventory is looked at.
const INTERVAL: Duration = Duration::from_millis(500);
const MAX_BROWSERS: usize = 256;

impl Page {
    /// Of this inventory, to be set up and [bound](Self::bind).
    #[must_use]
    pub fn new(inventory: &Inventory) -> Self {
        Self {
            inventory: inventory.clone(),
            interval: INTERVAL,
            controls: Controls::default(),
            health: None,
            token: None,
            hosts: Vec::new(),
            is_remote: false,
            max_browsers: MAX_BROWSERS,
            is_for_machines: false,
        }
    }

    /// Serves a page of `inventory` at an address of this machine, on the tokio runtime that
    /// surrounds the call.
    ///
    /// # Errors
    ///
    /// As those of [`bind`](Self::bind).
    pub async fn serve(
        address: impl ToSocketAddrs,
        inventory: &Inventory,
    ) -> std_io::Result<Serving> {
        Self::new(inventory).bind(address).await
    }

    /// How often it looks at the inventory and tells the browsers. Default: 0.5 s; at least 50 ms.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_millis(50)), ..self }
    }

    /// Offers inputs of the program's. Without them nothing can be changed from the page.
    #[must_use]
    pub fn with_controls(self, controls: Controls) -> Self {
        Self { controls, ..self }
    }

    /// Answers `/livez` and `/readyz` by this; by one with the default configuration otherwise.
    #[must_use]
    pub fn with_health(self, health: &Health) -> Self {
        Self { health: Some(health.clone()), ..self }
    }

    /// The token that whoever uses a control has to know: the page is opened as `/#token=...`.
    /// Default: a random one, which the page has by itself; a page that other machines can reach
    /// needs one that it does not have by itself.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Answers `/livez`, `/readyz` and, with the feature `metrics`, `/metrics`, and nothing else:
    /// for an address that a monitoring system reaches.
    #[must_use]
    pub fn for_machines(self) -> Self {
        Self { is_for_machines: true, ..self }
    }

    /// May be bound to an address that other machines can reach.
    #[must_use]
    pub fn allow_remote(self) -> Self {
        Self { is_remote: true, ..self }
    }

    /// Answers those who call it by this name too, such as that of a proxy in front of it.
    #[must_use]
    pub fn allow_host(mut self, name: &str) -> Self {
        self.hosts.push(name.to_ascii_lowercase());
        self
    }

    /// The most browsers that are told what changes; others are asked to come back. Default: 256.
    #[must_use]
    pub fn max_browsers(self, most: usize) -> Self {
        Self { max_browsers: most, ..self }
    }

    /// Serves it, on the tokio runtime that surrounds the call.
    ///
    /// # Errors
    ///
    /// The address is taken, or is none of this machine's; it can be reached from other machines
    /// and [`allow_remote`](Self::allow_remote) was not called, or there are controls and no
    /// [token](Self::with_token); the machine has no random numbers.
    pub async fn bind(self, address: impl ToSocketAddrs) -> std_io::Result<Serving> {
        let listener = Listener::bind(address).await?;
        let address = listener.address()?;
        let invalid = |text: String| std_io::Error::new(std_io::ErrorKind::InvalidInput, text);
        let is_local = address.ip().is_loopback();
        if !is_local && !self.is_remote {
            let text = format!("{address} can be reached from other machines: call `allow_remote`");
            return Err(invalid(text));
        }
        if !is_local && self.token.is_none() && !self.controls.is_empty() {
            let text = "controls that other machines can reach need a token: call `with_token`";
            return Err(invalid(text.to_owned()));
        }
        let access = Access::new(self.token, self.hosts, self.is_remote)?;
        let (stop, stopped) = watch::channel(false);
        let feed = Arc::new(Feed::new(&self.inventory, self.max_browsers)?);
        let health = || Health::new(&self.inventory, HealthConfig::default());
        let shared = routes::Shared {
            feed: Arc::clone(&feed),
            access,
            controls: self.controls,
            health: self.health.unwrap_or_else(health),
            interval: self.interval,
            stopped: stopped.clone(),
            is_for_machines: self.is_for_machines,
        };
        let routes = routes::of(shared);
        let feed = tokio::spawn(feed::run(feed, self.interval, stopped.clone()));
        let server = tokio::spawn(io::serve(listener, routes, stopped));
        Ok(Serving { address, server, feed, stop })
    }
}

impl Serving {
    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and returns when the address is free.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // They end by themselves; one that has panicked has ended too.
        let _ended = (&mut self.server).await;
        let _ended = (&mut self.feed).await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.server.abort();
        self.feed.abort();
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("address", &self.address).finish_non_exhaustive()
    }
}
