//! The live page of a command.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use millstream_observe::{
    Inventory,
    page::{Controls, Page, Serving},
};
use tokio::runtime::{Builder, Runtime};

/// Where the page is if nothing else is said.
const DEFAULT: &str = "127.0.0.1:7777";

/// Where the live page is served.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PageArgs {
    /// Serves the live page here, for this machine alone. Default: 127.0.0.1:7777, or another port
    /// if that is taken.
    #[arg(long, value_name = "ADDRESS:PORT")]
    page: Option<SocketAddr>,
    /// Serves no page.
    #[arg(long, conflicts_with = "page")]
    no_page: bool,
    /// Answers `/metrics`, `/livez` and `/readyz` here and nothing else, also to other machines:
    /// `0.0.0.0:9464`.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// Answers those who call page or metrics by this name too.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

/// A page that is served until this is dropped.
pub(crate) struct LivePage {
    page: Option<Serving>,
    /// What monitoring asks.
    metrics: Option<Serving>,
    runtime: Option<Runtime>,
}

impl PageArgs {
    /// Returns whether there is to be one.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.no_page
    }

    /// Checks that an address that was given is free, before anything is begun.
    pub(crate) fn check(&self) -> io::Result<()> {
        for (what, address) in [("page", self.page), ("metrics", self.metrics)] {
            let Some(address) = address else { continue };
            drop(TcpListener::bind(address).map_err(|error| refused(what, address, error))?);
        }
        Ok(())
    }

    /// Serves the page and what monitoring asks, unless neither is wanted.
    pub(crate) fn serve(
        &self,
        inventory: &Inventory,
        controls: Controls,
    ) -> io::Result<Option<LivePage>> {
        if self.no_page && self.metrics.is_none() {
            return Ok(None);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("page")
            .enable_all()
            .build()?;
        let named =
            |page: Page| self.allow_host.iter().fold(page, |page, name| page.allow_host(name));
        let page = named(Page::new(inventory).with_controls(controls));
        let serve = |address: SocketAddr| runtime.block_on(page.clone().bind(address));
        let page = match self.page {
            _ if self.no_page => None,
            Some(address) => Some(serve(address).map_err(|error| refused("page", address, error))?),
            None => {
                let default: SocketAddr = DEFAULT.parse().map_err(io::Error::other)?;
                Some(serve(default).or_else(|_| serve(SocketAddr::new(default.ip(), 0)))?)
            }
        };
        let metrics = self.metrics.map(|address| {
            let page = named(Page::new(inventory).for_machines().allow_remote());
            runtime.block_on(page.bind(address)).map_err(|error| refused("metrics", address, error))
        });
        Ok(Some(LivePage { page, metrics: metrics.transpose()?, runtime: Some(runtime) }))
    }
}

fn refused(what: &str, address: SocketAddr, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("no {what} at {address}: {error}"))
}

impl LivePage {
    /// Where a browser finds it.
    pub(crate) fn url(&self) -> Option<String> {
        self.page.as_ref().map(|page| format!("http://{}", page.address()))
    }

    /// Where monitoring finds what it asks.
    pub(crate) fn metrics_url(&self) -> Option<String> {
        self.metrics.as_ref().map(|metrics| format!("http://{}/metrics", metrics.address()))
    }
}

impl Drop for LivePage {
    fn drop(&mut self) {
        drop((self.page.take(), self.metrics.take()));
        if let Some(runtime) = self.runtime.take() {
            // A browser may still read.
            runtime.shutdown_background();
        }
    }
}
