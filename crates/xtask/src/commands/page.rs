//! `page`: the live page in a real browser, and what Prometheus says of metrics and alerts.

use crate::shell::{Failure, Shell, target_dir};

/// Drives the live page in a headless Chromium: numbers, updates, a stall's culprit, hostile names,
/// the keyboard, a restart, the console, and axe-core in light, dark and narrow; and takes a
/// picture of the demo. The screenshots are in `target/page`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What judges whether everybody can use the page.
const AXE: &str = "axe-core@4.14.1";

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    let folder = target_dir().join("page");
    let axe = folder.join("npm/node_modules/axe-core/axe.min.js");
    if !axe.exists() {
        shell.npm(&folder.join("npm")).arg(AXE).run_thrice()?;
    }
    shell
        .cargo("test --package millstream-observe --all-features --test it metrics::")
        .env("MILLSTREAM_REQUIRE_TOOLS", "1")
        .run()?;
    let build = "build --package millstream-observe --all-features --example page_under_test";
    shell.cargo(build).run()?;
    let program = target_dir().join("debug/examples/page_under_test");
    shell
        .program("node", "crates/millstream-observe/tests/browser/page.test.mjs")
        .arg(&program.display().to_string())
        .arg(&axe.display().to_string())
        .arg(&folder.display().to_string())
        .run()?;
    shell.cargo("build --package millstream-cli").run()?;
    shell
        .program("node", "crates/millstream-observe/tests/browser/picture.mjs")
        .arg(&target_dir().join("debug/millstream").display().to_string())
        .arg(&folder.display().to_string())
        .run()
}
