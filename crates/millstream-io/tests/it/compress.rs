//! Compression: there and back, demand, and input that is cut or nonsense.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use millstream::{BoxPublisher, Error, ErrorKind, Flow, error, from_iter, range};
use millstream_io::FlowExt as _;
use millstream_testkit::Probe;

type Chunks = Flow<BoxPublisher<Bytes>>;

const PACK: [fn(Chunks) -> Chunks; 2] = [|flow| flow.gzip().boxed(), |flow| flow.zstd().boxed()];
const UNPACK: [fn(Chunks) -> Chunks; 2] =
    [|flow| flow.gunzip().boxed(), |flow| flow.unzstd().boxed()];

fn text() -> Vec<Bytes> {
    (0..2_000).map(|n| Bytes::from(format!("line {n} of a text that repeats itself\n"))).collect()
}

fn of(chunks: Vec<Bytes>) -> Chunks {
    from_iter(chunks).boxed()
}

fn all(flow: Chunks) -> Result<Vec<u8>, Error> {
    flow.fold(Vec::new(), |mut all: Vec<u8>, chunk| {
        all.extend(chunk);
        all
    })
    .wait()
}

#[test]
fn what_is_packed_is_unpacked_also_byte_by_byte_and_file_by_file() {
    for (pack, unpack) in PACK.into_iter().zip(UNPACK) {
        let packed = all(pack(of(text()))).unwrap();
        assert!(packed.len() < text().concat().len() / 2);
        let bytes = packed.iter().map(|byte| Bytes::copy_from_slice(&[*byte])).collect();
        assert_eq!(all(unpack(of(bytes))).unwrap(), text().concat());
        let twice = vec![Bytes::from(packed.clone()), Bytes::from(packed)];
        assert_eq!(all(unpack(of(twice))).unwrap(), [text().concat(), text().concat()].concat());
    }
}

#[test]
fn input_that_is_cut_or_nonsense_fails_and_the_source_s_error_is_kept() {
    for (pack, unpack) in PACK.into_iter().zip(UNPACK) {
        let packed = all(pack(of(text()))).unwrap();
        let half = Bytes::from(packed[..packed.len() / 2].to_vec());
        for wrong in [half.clone(), Bytes::from_static(b"no archive at all")] {
            let failed = all(unpack(of(vec![wrong]))).unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::InvalidData, "{failed}");
            assert!(failed.to_string().starts_with("the input is cut, or no "), "{failed}");
        }
        let broken = of(vec![half]).concat(error(Error::new(ErrorKind::Timeout, "late"))).boxed();
        assert_eq!(all(unpack(broken)).unwrap_err().kind(), ErrorKind::Timeout);
        let broken = of(text()).concat(error(Error::new(ErrorKind::Timeout, "late"))).boxed();
        assert_eq!(all(pack(broken)).unwrap_err().kind(), ErrorKind::Timeout);
    }
}

#[test]
fn a_bomb_is_unpacked_as_slowly_as_it_is_asked_for() {
    for (pack, unpack) in PACK.into_iter().zip(UNPACK) {
        let zeros = range(0..2_000_u32).map(|_| Bytes::from_static(&[0; 8_192])).boxed();
        let packed = Bytes::from(all(pack(zeros)).unwrap());
        let n_asked = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&n_asked);
        let chunks: Vec<Bytes> = packed.chunks(64).map(Bytes::copy_from_slice).collect();
        let n_chunks = chunks.len();
        let source = from_iter(chunks).map(move |chunk| {
            *counter.lock().unwrap() += 1;
            chunk
        });
        let probe = Probe::subscribe_to(unpack(source.boxed()));
        probe.request(2);
        probe.wait_for("two chunks", |probe| probe.n_items() == 2);
        assert!(probe.items().iter().all(|chunk| chunk.len() <= 8_192));
        assert!(*n_asked.lock().unwrap() < n_chunks.max(8), "not all was read");
        probe.cancel();
    }
}
