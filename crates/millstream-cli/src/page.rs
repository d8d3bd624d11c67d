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
}

/// A page that is served until this is dropped.
pub(crate) struct LivePage {
    serving: Option<Serving>,
    runtime: Option<Runtime>,
}

impl PageArgs {
    /// Returns whether there is to be one.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.no_page
    }

    /// Checks that an address that was given is free, before anything is begun.
    pub(crate) fn check(&self) -> io::Result<()> {
        let Some(address) = self.page else { return Ok(()) };
        TcpListener::bind(address)
            .map(drop)
            .map_err(|error| io::Error::new(error.kind(), format!("no page at {address}: {error}")))
    }

    /// Serves the page, unless none is wanted.
    pub(crate) fn serve(
        &self,
        inventory: &Inventory,
        controls: Controls,
    ) -> io::Result<Option<LivePage>> {
        if self.no_page {
            return Ok(None);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("page")
            .enable_all()
            .build()?;
        let page = Page::new(inventory).with_controls(controls);
        let serve = |address: SocketAddr| runtime.block_on(page.clone().bind(address));
        let serving = match self.page {
            Some(address) => serve(address).map_err(|error| {
                io::Error::new(error.kind(), format!("no page at {address}: {error}"))
            })?,
            None => {
                let default: SocketAddr = DEFAULT.parse().map_err(io::Error::other)?;
                serve(default).or_else(|_| serve(SocketAddr::new(default.ip(), 0)))?
            }
        };
        Ok(Some(LivePage { serving: Some(serving), runtime: Some(runtime) }))
    }
}

impl LivePage {
    /// Where a browser finds it.
    pub(crate) fn url(&self) -> String {
        let address = self.serving.as_ref().map(Serving::address);
        address.map_or_else(String::new, |address| format!("http://{address}"))
    }
}

impl Drop for LivePage {
    fn drop(&mut self) {
        drop(self.serving.take());
        if let Some(runtime) = self.runtime.take() {
            // A browser may still read.
            runtime.shutdown_background();
        }
    }
}
