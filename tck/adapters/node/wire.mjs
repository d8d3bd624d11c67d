// Calls to and from the TCK: each waits for its reply, and answers what is nested in it meanwhile.

import { writeSync } from "node:fs";
import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";

/** What a subscriber of the TCK throws on purpose. */
export class SubscriberFailure extends Error {
  constructor() {
    super("a failure of the TCK's subscriber, on purpose");
  }
}

/** Signals that come from the event loop have this number; those within a call of the TCK have its own. */
const EVENT_LOOP = 1;

/** One end of the protocol, on the one thread of the runtime. */
export class Wire {
  #handler;
  #port;
  #arrivals = new Int32Array(new SharedArrayBuffer(4));
  #thread = EVENT_LOOP;
  /** Replies that came while a call inside of theirs was waiting. */
  #replies = new Map();

  constructor(handler) {
    this.#handler = handler;
  }

  /** Begins to read; `hello` answers the first line. */
  start(hello) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    let greeted = false;
    port1.on("message", (message) => {
      if (greeted || message === null) return this.#hear(message);
      greeted = true;
      this.write(hello);
      new Worker(new URL("./beat.mjs", import.meta.url)).unref();
    });
    const workerData = { port: port2, arrivals: this.#arrivals };
    new Worker(new URL("./reader.mjs", import.meta.url), { workerData, transferList: [port2] });
  }

  write(message) {
    const line = Buffer.from(`${JSON.stringify(message)}\n`);
    for (let at = 0; at < line.length; at += writeSync(1, line, at));
  }

  /** Calls the TCK. What its side throws is thrown here. */
  call(message) {
    const thread = this.#thread;
    this.write({ thread, ...message });
    while (!this.#replies.has(thread)) this.#hear(this.#wait());
    const { reply } = this.#replies.get(thread);
    this.#replies.delete(thread);
    if (!reply) throw new SubscriberFailure();
  }

  #wait() {
    while (true) {
      const seen = Atomics.load(this.#arrivals, 0);
      const heard = receiveMessageOnPort(this.#port);
      if (heard) return heard.message;
      Atomics.wait(this.#arrivals, 0, seen);
    }
  }

  #hear(message) {
    if (message === null) process.exit(0);
    if ("reply" in message) this.#replies.set(message.thread, message);
    else if ("notice" in message) this.#handler(message);
    else this.#serve(message);
  }

  #serve(call) {
    const before = this.#thread;
    this.#thread = call.thread;
    let reply;
    try {
      reply = { reply: true, ...this.#handler(call) };
    } catch (error) {
      reply = { reply: false, text: String(error) };
    }
    this.#thread = before;
    this.write({ thread: call.thread, ...reply });
  }
}
