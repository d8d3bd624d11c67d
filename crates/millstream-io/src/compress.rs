//! `FlowExt`: compression of flows of bytes.

#[cfg(feature = "gzip")]
use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder};
#[cfg(feature = "zstd")]
use async_compression::tokio::bufread::{ZstdDecoder, ZstdEncoder};
use millstream::{
    Error, ErrorKind, FlattenResults, Flow, FromStream, MapErr, Publisher,
    bridge::{ByteChunks, FlowReader, read_bytes},
};

/// The chunks of what is compressed and decompressed, in bytes, at most.
const CHUNK: usize = 8 << 10;

/// A flow of bytes through a reader `R`, whose errors are named.
pub type Named<R> = MapErr<FlattenResults<FromStream<ByteChunks<R>>>, fn(Error) -> Error>;

/// Compression: `use millstream_io::FlowExt as _`.
pub trait FlowExt: Publisher + Sized {
    /// Compresses the bytes of the items by gzip, at the default level.
    ///
    /// # Demand
    ///
    /// A chunk of up to 8 KiB is made when it is asked for; of the source, an item is asked for
    /// when those before are compressed. So what is compressed comes late while there is little of
    /// it: what has to arrive now is sent by completing the flow.
    ///
    /// # Termination
    ///
    /// Completes after the source, with what is left; fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_io::FlowExt as _;
    ///
    /// let text = millstream::from_iter(["to and ", "fro"]).gzip().gunzip();
    /// let text = text.fold(Vec::new(), |text: Vec<u8>, chunk| [text, chunk.to_vec()].concat());
    /// assert_eq!(text.wait()?, b"to and fro");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[cfg(feature = "gzip")]
    fn gzip(self) -> Flow<Named<GzipEncoder<FlowReader<Self>>>>
    where
        Self: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
    {
        read_bytes(GzipEncoder::new(Flow::from(self).into_reader()), CHUNK).map_err(as_it_is)
    }

    /// Decompresses the bytes of the items by gzip, also where several files follow each other.
    ///
    /// # Demand
    ///
    /// A chunk of up to 8 KiB is made when it is asked for, so that input that grows a thousandfold
    /// holds no more than another; of the source, an item is asked for when those before are used
    /// up.
    ///
    /// # Termination
    ///
    /// Completes after the source; fails with the source, and with an error of kind `InvalidData`
    /// if its bytes are cut or no gzip, after what was whole. The source is canceled then.
    ///
    /// # Examples
    ///
    /// See [`gzip`](Self::gzip).
    #[cfg(feature = "gzip")]
    fn gunzip(self) -> Flow<Named<GzipDecoder<FlowReader<Self>>>>
    where
        Self: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
    {
        let mut decoder = GzipDecoder::new(Flow::from(self).into_reader());
        decoder.multiple_members(true);
        read_bytes(decoder, CHUNK).map_err(no_gzip)
    }

    /// Compresses the bytes of the items by Zstandard, at the default level.
    ///
    /// # Demand
    ///
    /// As that of gzip: a chunk is made when it is asked for, and comes when there is enough for
    /// it.
    ///
    /// # Termination
    ///
    /// Completes after the source, with what is left; fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_io::FlowExt as _;
    ///
    /// let text = millstream::from_iter(["to and ", "fro"]).zstd().unzstd();
    /// let text = text.fold(Vec::new(), |text: Vec<u8>, chunk| [text, chunk.to_vec()].concat());
    /// assert_eq!(text.wait()?, b"to and fro");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[cfg(feature = "zstd")]
    fn zstd(self) -> Flow<Named<ZstdEncoder<FlowReader<Self>>>>
    where
        Self: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
    {
        read_bytes(ZstdEncoder::new(Flow::from(self).into_reader()), CHUNK).map_err(as_it_is)
    }

    /// Decompresses the bytes of the items by Zstandard, also where several frames follow each
    /// other.
    ///
    /// # Demand
    ///
    /// A chunk of up to 8 KiB is made when it is asked for; of the source, an item is asked for
    /// when those before are used up. The decoder holds the window that the input names, 128 MiB at
    /// most.
    ///
    /// # Termination
    ///
    /// Completes after the source; fails with the source, and with an error of kind `InvalidData`
    /// if its bytes are cut or no Zstandard, after what was whole. The source is canceled then.
    ///
    /// # Examples
    ///
    /// See [`zstd`](Self::zstd).
    #[cfg(feature = "zstd")]
    fn unzstd(self) -> Flow<Named<ZstdDecoder<FlowReader<Self>>>>
    where
        Self: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
    {
        let mut decoder = ZstdDecoder::new(Flow::from(self).into_reader());
        decoder.multiple_members(true);
        read_bytes(decoder, CHUNK).map_err(no_zstd)
    }
}

impl<P: Publisher> FlowExt for Flow<P> {}

fn as_it_is(error: Error) -> Error {
    error
}

#[cfg(feature = "gzip")]
fn no_gzip(error: Error) -> Error {
    of_decoder(error, "gzip")
}

#[cfg(feature = "zstd")]
fn no_zstd(error: Error) -> Error {
    of_decoder(error, "Zstandard")
}

/// What a decoder says of its input is no failure of input and output.
fn of_decoder(error: Error, format: &str) -> Error {
    match error.downcast_ref::<std::io::Error>() {
        Some(cause) => {
            let what = format!("the input is cut, or no {format}: {cause}");
            Error::new(ErrorKind::InvalidData, what)
        }
        None => error,
    }
}
