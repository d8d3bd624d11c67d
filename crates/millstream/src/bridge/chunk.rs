//! The buffer of `read_chunks` and `read_bytes`.

/// How many bytes a buffer begins with, at most.
const FIRST: usize = 64 << 10;

/// A buffer for one read of up to `size` bytes. It begins small, and doubles when a read fills it.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    size: usize,
}

impl Chunk {
    pub(super) fn new(size: usize) -> Self {
        Self { bytes: vec![0; size.min(FIRST)], size }
    }

    /// The room for a read.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// What a read of `n` bytes brought.
    pub(super) fn read(&mut self, n: usize) -> Vec<u8> {
        let chunk = self.bytes[..n].to_vec();
        if n == self.bytes.len() && n < self.size {
            self.bytes.resize(n.saturating_mul(2).min(self.size), 0);
        }
        chunk
    }
}
