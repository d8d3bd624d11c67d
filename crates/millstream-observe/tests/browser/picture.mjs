// A picture of the demo's page. Called by `cargo xtask page`:
//
//     node picture.mjs MILLSTREAM FOLDER
//
// MILLSTREAM is the program, FOLDER where `demo.png` goes.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";

const [program, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "millstream-page-"));
const children = [];

/** Starts the demo, and returns where its page is. */
function demo() {
  const args = ["demo", "--for", "60s", "--page", "127.0.0.1:0", "--policy", "drop-oldest"];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.on("exit", () => reject(new Error("the demo has ended")));
    child.stderr.on("data", (data) => {
      const url = /http:\S+/.exec(data);
      if (url) resolve(url[0]);
    });
  });
}

try {
  const url = await demo();
  const browser = await Browser.start({ profile, folder, children });
  await browser.open(url, { width: 1180, height: 860 });
  // A few seconds of rates, and a queue that has been full.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await browser.shoot("demo");
  if (browser.errors.length > 0) throw new Error(browser.errors.join("\n"));
  console.log(`the demo's page: ${join(folder, "demo.png")}`);
} finally {
  // Its files are the browser's until it has ended.
  await Promise.all(children.map((child) => new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.removeAllListeners("exit");
    child.on("exit", resolve);
    child.kill("SIGKILL");
  })));
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
