//! Modules of Go, and a Go that can build them where there is none.

use std::{fs, io, os::unix::fs::symlink, path::PathBuf, process::Command};

use super::{is_root, succeed};
use crate::shell::target_dir;

/// Where Go is, besides the path.
const PLACES: [&str; 3] = ["/usr/local/go/bin/go", "go", PACKAGED];
/// Where the package has it.
const PACKAGED: &str = "/usr/lib/go-1.23/bin/go";
/// A Go that fetches the one that a module asks for. Older Debians have it in their backports.
const PACKAGE: &str = "golang-1.23-go";

/// Installs a module's program beside what is built.
///
/// # Errors
///
/// If there is no Go of the last years, and none can be installed; or if the module cannot be had.
pub(super) fn install(module: &str) -> Result<(), String> {
    let go = match find() {
        Some(go) => go,
        None => {
            install_go()?;
            find().ok_or("Go was installed, and does not run")?
        }
    };
    let folder = target_dir().join("servers/bin");
    // It may be older than what the module asks for, and then fetches that.
    let mut installing = Command::new(go);
    installing.args(["install", module]).env("GOBIN", folder).env("GOTOOLCHAIN", "auto");
    succeed(&mut installing)
}

/// A Go that knows how to fetch another.
pub(super) fn find() -> Option<PathBuf> {
    let is_recent = |place: &&str| {
        let output = Command::new(place).arg("version").output();
        output.is_ok_and(|output| fetches_others(&String::from_utf8_lossy(&output.stdout)))
    };
    PLACES.into_iter().find(is_recent).map(PathBuf::from)
}

/// Whether a Go of this version does: `go version go1.23.5 linux/amd64`.
fn fetches_others(version: &str) -> bool {
    let minor = version.split_once("go1.").and_then(|(_, rest)| {
        rest.split(|char: char| !char.is_ascii_digit()).next()?.parse::<u32>().ok()
    });
    minor.is_some_and(|minor| minor >= 21)
}

fn install_go() -> Result<(), String> {
    const WISH: &str = "with Go 1.21 or later";
    if !is_root() {
        return Err(WISH.to_owned());
    }
    let sources = backports().map_err(|cause| format!("{WISH}: {cause}"))?;
    let with = format!("Dir::Etc::sourceparts={}", sources.display());
    let apt = |words: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", &with, "-qq", "-y"]).args(words);
        succeed(&mut apt)
    };
    apt(&["update"])?;
    apt(&["--no-install-recommends", "install", PACKAGE])
}

/// A folder with the machine's own sources of packages, and the backports of its release. The
/// machine's are left as they are.
fn backports() -> io::Result<PathBuf> {
    let folder = target_dir().join("servers/sources");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten() {
        let path = entry?.path();
        if let Some(name) = path.file_name() {
            symlink(&path, folder.join(name))?;
        }
    }
    let release = fs::read_to_string("/etc/os-release")?;
    let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let targets = Command::new("apt-get")
        .args(["indextargets", "--format", "$(SITE) $(ORIGIN) $(CODENAME)", "Created-By: Packages"])
        .output()?;
    let targets = String::from_utf8_lossy(&targets.stdout).into_owned();
    if let Some(line) = codename.and_then(|codename| source_of(&targets, codename)) {
        fs::write(folder.join("millstream-backports.list"), line)?;
    }
    Ok(folder)
}

/// The line for the backports of a Debian. The targets are a line of site, origin and code name
/// for each list of packages.
fn source_of(targets: &str, codename: &str) -> Option<String> {
    let is_of = |line: &&str| line.ends_with(&format!(" Debian {codename}"));
    let site = targets.lines().find(is_of)?.split(' ').next()?;
    Some(format!("deb {site} {codename}-backports main\n"))
}

#[cfg(test)]
mod tests {
    use super::{fetches_others, source_of};

    #[test]
    fn only_a_go_that_fetches_others_will_do() {
        for (version, will_do) in [
            ("go version go1.19.8 linux/amd64", false),
            ("go version go1.21.0 linux/amd64", true),
            ("go version go1.26rc1 linux/amd64", true),
            ("gccgo 12", false),
            ("", false),
        ] {
            assert_eq!(fetches_others(version), will_do, "{version}");
        }
    }

    #[test]
    fn backports_come_from_where_the_release_does() {
        let targets =
            "http://a.example/x Other bookworm\nhttp://b.example/debian Debian bookworm\n";
        let line = "deb http://b.example/debian bookworm-backports main\n";
        assert_eq!(source_of(targets, "bookworm").as_deref(), Some(line));
        assert_eq!(source_of(targets, "noble"), None);
    }
}
