//! Files and folders.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::Notes;
use crate::nearest;

/// A file that is to be read.
pub(super) fn read(path: &Path, notes: &mut Notes) {
    let shown = path.display();
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(data) if data.is_dir() => {
            notes.bad("file", format!("{shown} is a folder: name a file in it"));
        }
        Ok(data) if data.is_file() && data.len() == 0 => {
            notes.look("file", format!("{shown} is empty: nothing will come, unless it grows"));
        }
        Ok(data) => notes.good("file", format!("{shown} can be read: {} bytes", data.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let meant = meant(path).map_or_else(String::new, |name| format!(": is it {name}?"));
            notes.bad("file", format!("{shown} is not there{meant}"));
        }
        Err(error) => notes.bad("file", format!("{shown} cannot be read: {error}")),
    }
}

/// The name in the folder that is most like it.
fn meant(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let entries = fs::read_dir(folder_of(path)).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<_> = names.collect();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A file that is to be written.
pub(super) fn write(path: &Path, notes: &mut Notes) {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => {
            return notes.bad("file", format!("{shown} is a folder: name a file in it"));
        }
        Ok(_) => {
            return match File::options().append(true).open(path) {
                Ok(_) => notes.good("file", format!("{shown} is there, and can be written")),
                Err(error) => notes.bad("file", format!("{shown} cannot be written: {error}")),
            };
        }
        Err(_) => {}
    }
    let folder = folder_of(path);
    if folder.is_dir() {
        takes_files(&folder, notes);
    } else {
        let folder = folder.display();
        notes.bad("folder", format!("{folder} is not there: `mkdir -p {folder}`"));
    }
}

/// A folder that is made if it is not there.
pub(super) fn folder(path: &Path, notes: &mut Notes) {
    if path.is_file() {
        return notes.bad("folder", format!("{} is a file: name a folder", path.display()));
    }
    match path.ancestors().find(|folder| folder.is_dir()) {
        Some(folder) => takes_files(folder, notes),
        None => takes_files(Path::new("."), notes),
    }
}

fn takes_files(folder: &Path, notes: &mut Notes) {
    let probe = folder.join(format!(".millstream-doctor-{}", std::process::id()));
    let made = File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
    let shown = folder.display();
    match made {
        Ok(()) => notes.good("folder", format!("{shown} takes files")),
        Err(error) => notes.bad("folder", format!("{shown} takes no files: {error}")),
    }
}
