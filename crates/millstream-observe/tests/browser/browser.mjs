// A headless Chromium, for the tests of the live page and for its picture.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

/** A browser, by its protocol over a pipe. */
export class Browser {
  /** With a folder for its profile, one for screenshots, and a list of processes to end. */
  static async start({ profile, folder, children }) {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", "--user-data-dir=" + profile, "about:blank"];
    const child = spawn("chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    children.push(child);
    const browser = new Browser();
    Object.assign(browser, { child, folder, id: 0, calls: new Map(), errors: [], session: undefined });
    let text = "";
    child.stdio[4].setEncoding("utf8").on("data", (data) => {
      const parts = (text + data).split("\0");
      text = parts.pop();
      parts.forEach((part) => browser.hear(JSON.parse(part)));
    });
    const { targetInfos } = await browser.call("Target.getTargets");
    const { targetId } = targetInfos.find((target) => target.type === "page");
    browser.session = (await browser.call("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    for (const domain of ["Runtime", "Log", "Page"]) await browser.call(domain + ".enable");
    return browser;
  }

  hear(message) {
    if (message.id) {
      const { resolve, reject } = this.calls.get(message.id);
      this.calls.delete(message.id);
      return message.error ? reject(new Error(message.error.message)) : resolve(message.result);
    }
    const { method, params } = message;
    if (method === "Runtime.exceptionThrown") this.errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Log.entryAdded" && params.entry.level === "error") this.errors.push(params.entry.text);
    if (method === "Runtime.consoleAPICalled" && params.type === "error") this.errors.push(JSON.stringify(params.args));
  }

  call(method, params = {}) {
    return new Promise((resolve, reject) => {
      this.calls.set(++this.id, { resolve, reject });
      this.child.stdio[3].write(JSON.stringify({ id: this.id, method, params, sessionId: this.session }) + "\0");
    });
  }

  async value(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true. Only a page that is wrong takes longer than a moment. */
  async until(expression) {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await this.value(expression)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`was never so: ${expression}\n${await this.value("document.body.innerText.slice(0, 3000)")}`);
  }

  async open(url, { width = 1280, height = 900, scheme = "light" } = {}) {
    await this.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await this.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }] });
    await this.call("Page.navigate", { url: "about:blank" });
    await this.call("Page.navigate", { url });
    await this.until(`document.querySelector("#connection.live") && document.querySelectorAll(".card").length > 0`);
  }

  async key(key, code = key) {
    const text = key === "Enter" ? { text: "\r" } : {};
    const windowsVirtualKeyCode = { Tab: 9, Enter: 13, Escape: 27 }[key];
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", key, code, windowsVirtualKeyCode, ...text });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", key, code, windowsVirtualKeyCode });
  }

  async shoot(name) {
    const { data } = await this.call("Page.captureScreenshot", { captureBeyondViewport: true });
    writeFileSync(join(this.folder, name + ".png"), Buffer.from(data, "base64"));
  }
}
