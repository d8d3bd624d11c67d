//! Lines to a file, and to the next one when it is large enough.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use millstream::{Error, ErrorKind};
use serde_json::Value;

use super::write_line;
use crate::{FileSink, Rotation};

/// A file of lines.
///
/// What [`write`](Self::write) was given is with the system when it returns, and on the disk after
/// [`finish`](Self::finish).
pub(crate) struct Rotating {
    spec: FileSink,
    file: File,
    size: u64,
    lines: Vec<u8>,
}

impl Rotating {
    pub(super) fn open(spec: &FileSink) -> Result<Self, Error> {
        // What is there stays until `begin`.
        let opened = open(spec, spec.append, false).and_then(|file| {
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        let (file, size) = opened.map_err(|cause| {
            let what = format!("cannot write {}", super::shown(spec));
            Error::with_source(ErrorKind::Io, "", cause).context(what)
        })?;
        Ok(Self { spec: spec.clone(), file, size, lines: Vec::new() })
    }

    /// What was there before goes, unless it is added to.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        if self.spec.append || !self.file.metadata().is_ok_and(|data| data.is_file()) {
            return Ok(());
        }
        self.size = 0;
        self.file.set_len(0).map_err(|cause| self.failed(cause))
    }

    /// Whether it is this file, by whatever name.
    pub(super) fn is(&self, path: &Path) -> bool {
        let id = |data: Metadata| (data.dev(), data.ino());
        let own = self.file.metadata().ok().filter(Metadata::is_file).map(id);
        own.is_some() && own == fs::metadata(path).ok().map(id)
    }

    pub(super) fn write(&mut self, values: &[Value]) -> Result<(), Error> {
        let result = self.try_write(values);
        self.lines.clear();
        result.map_err(|cause| self.failed(cause))
    }

    fn try_write(&mut self, values: &[Value]) -> io::Result<()> {
        for value in values {
            let before = self.lines.len();
            write_line(value, &mut self.lines);
            let Some(rotation) = self.spec.rotate.clone() else { continue };
            // A line that is larger than a file should be has one to itself.
            if self.size + self.lines.len() as u64 > rotation.size.0
                && self.size + before as u64 > 0
            {
                let next = self.lines.split_off(before);
                self.flush()?;
                self.rotate(&rotation)?;
                self.lines = next;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.lines)?;
        self.size += self.lines.len() as u64;
        self.lines.clear();
        Ok(())
    }

    /// Moves the old files up by one, and begins a new one.
    fn rotate(&mut self, rotation: &Rotation) -> io::Result<()> {
        self.file.sync_all()?;
        for index in (1..rotation.keep.get()).rev() {
            rename(self.numbered(index), self.numbered(index + 1))?;
        }
        rename(self.spec.path.clone(), self.numbered(1))?;
        self.file = open(&self.spec, false, true)?;
        self.size = 0;
        Ok(())
    }

    fn numbered(&self, index: usize) -> PathBuf {
        let mut path = OsString::from(&self.spec.path);
        path.push(format!(".{index}"));
        path.into()
    }

    pub(super) fn finish(&mut self) -> Result<(), Error> {
        match self.file.sync_all() {
            Ok(()) => Ok(()),
            // A pipe or a device, which has no disk.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, cause: io::Error) -> Error {
        Error::with_source(ErrorKind::Io, "", cause).context(super::shown(&self.spec))
    }
}

fn open(spec: &FileSink, append: bool, truncate: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(append).truncate(truncate).open(&spec.path)
}

/// There may be none of that number yet.
fn rename(from: PathBuf, to: PathBuf) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, num::NonZeroUsize};

    use serde_json::json;

    use super::Rotating;
    use crate::{FileSink, Rotation, Size};

    #[test]
    fn files_are_rotated_before_they_are_too_large_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let rotate = Some(Rotation { size: Size(8), keep: NonZeroUsize::new(2).unwrap() });
        let mut file =
            Rotating::open(&FileSink { path: path.clone(), append: false, rotate }).unwrap();
        let values: Vec<_> = (0..6).map(|n| json!(format!("{n}{n}{n}"))).collect();

        file.write(&values).unwrap();
        file.write(&[json!("a line that is larger than a file")]).unwrap();
        file.finish().unwrap();

        let read = |name: &str| fs::read_to_string(folder.path().join(name)).ok();
        assert_eq!(read("out").as_deref(), Some("a line that is larger than a file\n"));
        assert_eq!(read("out.1").as_deref(), Some("444\n555\n"));
        assert_eq!(read("out.2").as_deref(), Some("222\n333\n"));
        assert_eq!(read("out.3"), None);
    }

    #[test]
    fn a_file_may_be_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let spec = |append| FileSink { path: path.clone(), append, rotate: None };

        Rotating::open(&spec(false)).unwrap().write(&[json!({ "a": 1 })]).unwrap();
        Rotating::open(&spec(true)).unwrap().write(&[json!("two\nlines")]).unwrap();

        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n\"two\\nlines\"\n");
        assert!(
            Rotating::open(&FileSink {
                path: folder.path().join("no/such/folder"),
                append: false,
                rotate: None,
            })
            .err()
            .unwrap()
            .to_string()
            .starts_with("cannot write ")
        );
    }
}
