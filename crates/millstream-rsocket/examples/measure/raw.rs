//! Frames behind their length over TCP, by tokio-util's codec: a number asks for as many frames.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use futures::{SinkExt as _, StreamExt as _};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::{Case, Peer, pace};

type Frames = Framed<TcpStream, LengthDelimitedCodec>;

fn framed(stream: TcpStream) -> Frames {
    stream.set_nodelay(true).expect("a socket");
    Framed::new(stream, LengthDelimitedCodec::builder().length_field_length(3).new_codec())
}

async fn serve(mut frames: Frames) {
    let mut item = Bytes::new();
    while let Some(Ok(mut asked)) = frames.next().await {
        let (n, size) = (asked.get_u32(), asked.get_u32() as usize);
        if item.len() != size {
            item = vec![7; size].into();
        }
        for _ in 0..n {
            if frames.feed(item.clone()).await.is_err() {
                return;
            }
        }
        if futures::SinkExt::<Bytes>::flush(&mut frames).await.is_err() {
            return;
        }
    }
}

pub(crate) struct Raw(Frames);

impl Raw {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let _detached = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            serve(framed(stream)).await;
        });
        // A task of its own reads, as that of a connection does.
        Self(framed(TcpStream::connect(address).await.expect("a server")))
    }
}

impl Peer for Raw {
    fn name(&self) -> &'static str {
        "frames over TCP"
    }

    async fn stream(&mut self, case: Case) -> Duration {
        let demand = if case.demand == 0 { case.n_items } else { case.demand.into() };
        let started = Instant::now();
        let (mut n, mut left) = (0, 0);
        while n < case.n_items {
            if left == 0 {
                left = demand.min(case.n_items - n);
                let ask = [(left as u32).to_be_bytes(), (case.size as u32).to_be_bytes()].concat();
                self.0.send(Bytes::from(ask)).await.expect("a server");
            }
            let item = self.0.next().await.expect("an item").expect("a frame");
            assert_eq!(item.len(), case.size);
            (n, left) = (n + 1, left - 1);
        }
        started.elapsed()
    }

    async fn respond(&mut self, n: u32, per_second: u32) -> Vec<Duration> {
        let (begin, mut due) = mpsc::unbounded_channel();
        pace(n, per_second, move |instant| {
            begin.send(instant).ok();
        });
        // A request for one frame of 100 bytes, as long as its answer.
        let mut request = [0; 100];
        (request[3], request[7]) = (1, 100);
        let request = Bytes::copy_from_slice(&request);
        let (mut waiting, mut latencies) = (VecDeque::new(), Vec::new());
        while latencies.len() < n as usize {
            tokio::select! {
                Some(instant) = due.recv() => {
                    waiting.push_back(instant);
                    self.0.send(request.clone()).await.expect("a server");
                }
                answer = self.0.next() => {
                    answer.expect("an answer").expect("a frame");
                    let instant: Instant = waiting.pop_front().expect("answers come in order");
                    latencies.push(instant.elapsed());
                }
            }
        }
        latencies
    }
}
