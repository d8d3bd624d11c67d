//! A thousand browsers that connect to the page and read nothing.

use millstream::Registry;
use millstream_observe::page::Page;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    inventory,
    page::{Events, ask, get, serve},
};

/// How often this thread has waited for somebody, as the system counts it; none where it does not
/// say.
fn n_waits() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

/// The throughput beside it is the bench's to measure: `cargo bench --package millstream-observe
/// --all-features --bench cost`. Here it is shown why it cannot change: a thread that runs a flow
/// waits for none of them.
#[tokio::test]
async fn a_thousand_browsers_that_stop_to_read_keep_nobody_waiting() {
    const N_BROWSERS: usize = 1_000;
    const N_ITEMS: u64 = 200_000;
    // Both ends of each connection, and some.
    let needed = 2 * N_BROWSERS as u64 + 200;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < needed {
        #[expect(clippy::print_stderr, reason = "says what was skipped")]
        {
            eprintln!("skipped: {needed} open files are needed, and {hard} are allowed");
        }
        return;
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(needed), hard).unwrap();
    let (_, inventory) = inventory();
    let registry = Registry::new();
    let flow = millstream::range(0..N_ITEMS).inspect_demand("numbers", &registry);
    inventory.flow("main", &registry);
    let page = serve(Page::new(&inventory).max_browsers(N_BROWSERS + 1)).await;
    let mut stuck = Vec::new();
    for _ in 0..N_BROWSERS {
        let mut stream = TcpStream::connect(page.address()).await.unwrap();
        stream.write_all(get("/events", "localhost").as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    // All have come, and have got their first message, once the last one has.
    for stream in &stuck {
        stream.readable().await.unwrap();
    }
    let mut reader = Events::of(page.address()).await;
    reader.next().await.unwrap();

    let run = tokio::task::spawn_blocking(move || {
        let before = n_waits();
        let n_items = flow.count().wait().unwrap();
        (n_items, n_waits().zip(before).map(|(after, before)| after - before))
    });

    let (n_items, n_waits) = run.await.unwrap();
    assert_eq!(n_items, N_ITEMS);
    // A page of memory may have to be waited for; a browser for each item, or for each look, not.
    assert!(n_waits.is_none_or(|n| n < 10), "{n_waits:?}");
    // The one who reads is told all the same.
    loop {
        let (_, frame) = reader.next().await.expect("the page is there");
        if frame["snapshot"]["flows"][0]["stages"][0]["delivered"] == N_ITEMS {
            break;
        }
    }
    assert_eq!(
        ask(page.address(), &get("/events", "localhost")).await.status,
        503,
        "all are there"
    );
    drop(stuck);
}
