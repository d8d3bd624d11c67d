// The live page in a real browser. Called by `cargo xtask page`:
//
//     node page.test.mjs PROGRAM AXE FOLDER
//
// PROGRAM is the example `page_under_test`, AXE the script of axe-core, FOLDER where the screenshots go.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { Browser } from "./browser.mjs";

const [program, axe, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "millstream-page-"));
const children = [];

/** Serves the page, at a port of its own or at this one. */
async function serve(port = 0, what = "small") {
  const server = spawn(program, [String(port), what], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(server);
  const address = await new Promise((resolve, reject) => {
    let text = "";
    server.stdout.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(text.trim());
    });
    server.on("exit", () => reject(new Error("the program has ended")));
  });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  return {
    address,
    say: (line) => server.stdin.write(line + "\n"),
    stop: () => { server.stdin.end(); return ended; },
  };
}

const card = (name) => `[...document.querySelectorAll(".card")].find((card) => card.querySelector(".name").textContent === ${JSON.stringify(name)})`;
const row = (name) => `[...document.querySelectorAll("#policies tr")].find((row) => row.querySelector(".link").textContent === ${JSON.stringify(name)})`;
const detail = (name) => `[...document.querySelectorAll("#details dt")].find((dt) => dt.textContent === ${JSON.stringify(name)})?.nextSibling.textContent`;

let server, browser, url;

const tests = {
  "the numbers are those of the program": async () => {
    await browser.value(`${card("write")}.click()`);
    await browser.until(`${detail("delivered")} === "3"`);
    assert.equal(await browser.value(detail("asked for below")), "3");
    assert.equal(await browser.value(detail("outstanding demand")), "0");
    assert.match(await browser.value(`${card("orders")}.textContent`), /queue · flowing7\/10/);
    const bank = await browser.value(`${row("bank")}.innerText`);
    assert.match(bank, /open/);
    assert.match(bank, /100 % of 4 calls failed, 0 % were slow/);
  },
  "it is told what changes": async () => {
    server.say("request 5");
    await browser.until(`${detail("delivered")} === "8"`);
    await browser.until(`document.querySelector(".verdict .rate").textContent === "5/s"`);
  },
  "the last signals of a stage are shown as marbles": async () => {
    await browser.value(`${card("write")}.click()`);
    await browser.until(`document.querySelectorAll("#details .marbles .item").length === 8`);
    assert.equal(await browser.value(`document.querySelectorAll("#details .marbles .request").length`), 2);
    const label = await browser.value(`document.querySelector("#details .marbles").getAttribute("aria-label")`);
    assert.match(label, /: asks for 3, item, item, item, asks for 5, item/);
    const trace = await browser.value(`fetch("flight.trace.json").then((it) => it.json()).then((it) => it.traceEvents.filter((event) => event.name === "request(5)").length)`);
    assert.equal(trace, 2);
    await browser.shoot("marbles");
    await browser.value(`document.getElementById("close").click()`);
  },
  "it names the culprit of a stall, and who waits for it": async () => {
    const text = "enrich holds 16 of at most 16 items, and asks for no more, behind breaker bank: open (100 % of 4 calls failed, 0 % were slow); so fetch waits for demand.";
    const verdict = `[...document.querySelectorAll(".verdict")].find((it) => it.firstChild.textContent === "stuck")`;
    await browser.until(`${verdict}?.querySelector(".text").textContent === ${JSON.stringify(text)}`);
    assert.ok(await browser.value(`${card("enrich")}.classList.contains("bottleneck")`));
    assert.ok(await browser.value(`${card("fetch")}.classList.contains("held_back")`));
    assert.match(await browser.value(`${card("enrich")}.parentNode.querySelector(".chip").textContent`), /^bank: open$/);
  },
  "hostile names are text": async () => {
    assert.equal(await browser.value("window.harmed"), undefined);
    assert.equal(await browser.value(`document.querySelectorAll("img, script:not([nonce]), main b b").length`), 0);
    assert.ok(await browser.value(`${card('<img src=x onerror="window.harmed=1">')} !== undefined`));
    const long = "long".repeat(2500);
    await browser.value(`${card([...long].slice(0, 59).join("") + "…")}.click()`);
    await browser.until(`document.getElementById("details-title").textContent === ${JSON.stringify(long)}`);
    assert.ok(await browser.value("document.documentElement.scrollWidth <= innerWidth"));
    await browser.value(`document.getElementById("close").click()`);
  },
  "it is used by the keyboard": async () => {
    await browser.open(url);
    await browser.key("Tab");
    assert.equal(await browser.value("document.activeElement.textContent"), "Skip to the graph");
    await browser.value(`${card("read")}.focus()`);
    await browser.key("Enter");
    await browser.until(`document.activeElement.id === "details-title"`);
    assert.equal(await browser.value("document.activeElement.textContent"), "read");
    await browser.key("Escape");
    assert.ok(await browser.value(`document.getElementById("details").hidden`));
    assert.equal(await browser.value(`document.activeElement === ${card("read")}`), true);
  },
  "a pause keeps what is shown": async () => {
    const delivered = detail("delivered");
    await browser.value(`${card("write")}.click()`);
    await browser.until(`${delivered} !== undefined`);
    const before = Number(await browser.value(delivered));
    await browser.value(`document.getElementById("pause").click()`);
    server.say("request 2");
    // Details are of the frame that is held.
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(Number(await browser.value(delivered)), before);
    await browser.value(`document.getElementById("pause").click()`);
    await browser.until(`${delivered} === "${before + 2}"`);
    await browser.value(`document.getElementById("close").click()`);
  },
  "a control does what it says": async () => {
    await browser.value(`document.querySelector("#inputs button").click()`);
    await browser.until(`/closed/.test(${row("bank")}.innerText)`);
    assert.equal(await browser.value(`document.getElementById("answer").textContent`), "");
    await browser.until(`/bank closed/.test(document.getElementById("events").innerText)`);
  },
  "it survives a restart of the program": async () => {
    const port = server.address.split(":")[1];
    await server.stop();
    await browser.until(`document.querySelector("#connection.lost")`);
    server = await serve(port);
    await browser.until(`document.querySelector("#connection.live")`);
    await browser.until(`/open/.test(${row("bank")}?.innerText)`);
    // Its controls need the token of the new program.
    await browser.value(`document.querySelector("#inputs button").click()`);
    await browser.until(`/closed/.test(${row("bank")}?.innerText)`);
    assert.equal(await browser.value(`document.getElementById("answer").textContent`), "");
    await server.stop();
    server = await serve(port);
    await browser.until(`document.querySelector("#connection.live") && /open/.test(${row("bank")}?.innerText)`);
    const isOfTheRestart = (error) => /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED|EMPTY_RESPONSE|CONNECTION_RESET)/.test(error);
    browser.errors = browser.errors.filter((error) => !isOfTheRestart(error));
  },
  "everybody can use it, in light, dark and narrow": async () => {
    const sizes = { light: { scheme: "light" }, dark: { scheme: "dark" }, narrow: { width: 390, height: 844 } };
    await browser.call("Page.setBypassCSP", { enabled: true });
    for (const [name, size] of Object.entries(sizes)) {
      await browser.open(url, size);
      await browser.until(`/open/.test(${row("bank")}.innerText)`);
      await browser.shoot(name);
      assert.ok(await browser.value("document.documentElement.scrollWidth <= innerWidth"), `${name} is wider than the window`);
      await browser.value(`${card("orders")}.click()`);
      await browser.until(`${detail("offered")} !== undefined`);
      await browser.shoot(name + "-details");
      await browser.value(readFileSync(axe, "utf8") + "; undefined");
      const violations = await browser.value(`axe.run(document).then(({ violations }) => violations.map((it) => [it.id, it.help, it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + " " + (node.failureSummary ?? "").slice(0, 300))]))`);
      assert.deepEqual(violations, [], name);
      await browser.value(`document.getElementById("close").click()`);
    }
  },
  "hundreds of stages stay fluid": async () => {
    const large = await serve(0, "large");
    await browser.open(`http://${large.address}/`);
    await browser.until(`document.querySelectorAll(".card").length >= 400`);
    // What a person would feel: how long the page cannot answer, and how much of its time it works.
    const { frames, worst, busy } = await browser.value(`new Promise((done) => {
      let frames = 0, worst = 0, busy = 0, last = performance.now();
      const observer = new PerformanceObserver((list) => { for (const task of list.getEntries()) busy += task.duration; });
      observer.observe({ type: "longtask" });
      const start = last;
      const tick = (now) => {
        frames += 1;
        worst = Math.max(worst, now - last);
        last = now;
        if (now - start < 3000) requestAnimationFrame(tick); else { observer.disconnect(); done({ frames, worst, busy }); }
      };
      requestAnimationFrame(tick);
    })`);
    console.log(`  400 stages: ${frames} frames in 3 s, the longest ${Math.round(worst)} ms, ${Math.round(busy)} ms in long tasks`);
    await browser.shoot("large");
    // Without acceleration and beside others: what is checked is that it is not stuck.
    assert.ok(frames >= 15, `only ${frames} frames`);
    assert.ok(worst < 1000, `${worst} ms without an answer`);
    await large.stop();
    await browser.open(url);
    const isOfTheEnd = (error) => /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED|EMPTY_RESPONSE|CONNECTION_RESET)/.test(error);
    browser.errors = browser.errors.filter((error) => !isOfTheEnd(error));
  },
  "nothing is wrong on the console": async () => {
    assert.deepEqual(browser.errors, []);
  },
};

let nPassed = 0, nFailed = 0;
try {
  server = await serve();
  browser = await Browser.start({ profile, folder, children });
  url = `http://${server.address}/`;
  await browser.open(url);
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      nPassed += 1;
      console.log(`ok ${name}`);
    } catch (error) {
      nFailed += 1;
      console.log(`FAILED ${name}\n${error.stack}`);
    }
  }
} finally {
  for (const child of children) child.kill();
  await new Promise((resolve) => setTimeout(resolve, 300));
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`browser: ${nPassed} passed, ${nFailed} failed`);
process.exit(nFailed === 0 ? 0 : 1);
