// Hosts streams of Node for the TCK, which judges them from another process.
//
//     rs-tck judge -- node rs-tck-adapter.mjs ./module.mjs#factory ...
//
// A factory takes a number of items (`Infinity` for as many as are asked for) and gives a `Readable`, a
// `ReadableStream`, an async iterable, or an object with `subscribe(subscriber)`; `streams.mjs` says what
// demand means to each. A module without a factory names all that it exports. What a factory declares stands
// in its property `tck`: `role`, `failing` (a factory without arguments), `size` (the bytes of an item, for a
// stream of bytes), and capabilities as the protocol names them.
//
// - `role: "subscriber"`: a factory without arguments, of an object with `onSubscribe(subscription)`,
//   `onNext(item)`, `onError(error)` and `onComplete()`.
// - `role: "processor"`: a stream and its source. The factory takes a `highWaterMark` and the source, which
//   has `request(n)` and `cancel()`, and gives `{ stream, onNext, onError, onComplete }`. Rule R.10 then
//   judges that the stream asks its source for no more than was asked of it and than its `highWaterMark` holds.

import { pathToFileURL } from "node:url";
import { publisherOf } from "./streams.mjs";
import { SubscriberFailure, Wire } from "./wire.mjs";

/** The error that the TCK sends, and by which it knows it again. */
class DeliberateError extends Error {}

const isOurs = (error) => error instanceof DeliberateError || (error?.cause !== undefined && isOurs(error.cause));

/** A subject that is being played. */
class Case {
  over = false;
  #subscriptions = new Map();
  #given = 0;

  constructor(id, wire) {
    this.id = id;
    this.wire = wire;
  }

  answer(message) {
    switch (message.call) {
      case "subscribe":
        return this.publisher.subscribe(this.#puppet(message.subscriber ?? 1));
      case "request":
        return this.#subscriptions.get(message.subscription)?.request(message.n);
      case "cancel":
        return this.#subscriptions.get(message.subscription)?.cancel();
      case "on_subscribe":
        return this.subscriber.onSubscribe(this.#subscription(message.subscription));
      case "on_next":
        return this.subscriber.onNext(message.item);
      case "on_error":
        return this.subscriber.onError(message.ours ? new DeliberateError("of the TCK") : new RangeError("rule 3.9"));
      case "on_complete":
        return this.subscriber.onComplete();
      case "settle":
      case "collect":
      case "drop":
        return undefined;
      default:
        throw new Error(`no such call: ${message.call}`);
    }
  }

  release(number) {
    this.#subscriptions.delete(number);
  }

  call(message) {
    if (!this.over) this.wire.call({ ...message, case: this.id });
  }

  /** The TCK's subscriber. */
  #puppet(subscriber) {
    const tell = (call, fields) => this.call({ call, subscriber, ...fields });
    return {
      onSubscribe: (subscription) => {
        this.#given += 1;
        this.#subscriptions.set(this.#given, subscription);
        tell("on_subscribe", { subscription: this.#given });
      },
      onNext: (item) => {
        const number = Buffer.isBuffer(item) && item.length === 8 ? Number(item.readBigUInt64LE()) : item;
        tell("on_next", Number.isSafeInteger(number) && number >= 0 ? { item: number } : {});
      },
      onError: (error) =>
        tell("on_error", { illegal: error instanceof RangeError, ours: isOurs(error), text: String(error) }),
      onComplete: () => tell("on_complete"),
    };
  }

  /** The TCK's subscription. */
  #subscription(subscription) {
    return {
      request: (n) => this.call({ call: "request", subscription, n: Math.max(0, Math.min(n, Number.MAX_SAFE_INTEGER)) }),
      cancel: () => this.call({ call: "cancel", subscription }),
    };
  }

  /** A stream whose source is the TCK: what it asks before it has a source, it asks as soon as it has one. */
  playSource(factory, highWaterMark) {
    let source;
    let demand = 0;
    let over = false;
    const { stream, onNext, onError, onComplete } = factory(highWaterMark, {
      request(n) {
        if (source === undefined) demand += n;
        else if (!over) source.request(n);
      },
      cancel() {
        if (!over) source?.cancel();
        over = true;
      },
    });
    this.publisher = publisherOf(stream, factory.tck.size);
    this.subscriber = {
      onSubscribe(subscription) {
        if (source !== undefined || over) return subscription.cancel();
        source = subscription;
        return demand > 0 ? source.request(demand) : undefined;
      },
      // A stream lets its source know that it is destroyed, even where that has ended itself.
      onNext: (item) => over || onNext(item),
      onError(error) {
        over = true;
        onError(error);
      },
      onComplete() {
        over = true;
        onComplete();
      },
    };
  }
}

class Adapter {
  #factories = new Map();
  #cases = new Map();
  #wire = new Wire((message) => this.#answer(message));

  async load(argument) {
    const [path, name] = argument.split("#");
    const module = await import(pathToFileURL(path));
    const names = name === undefined ? Object.keys(module) : [name];
    for (const one of names) {
      if (typeof module[one] !== "function") throw new Error(`${path} exports no function ${one}`);
      this.#factories.set(one, module[one]);
    }
  }

  start() {
    const subjects = [...this.#factories].map(([name, { tck = {} }]) => {
      const { role = "publisher", failing, size, ...declared } = tck;
      return { name, role, capabilities: role === "subscriber" ? declared : { asynchronous: true, ...declared } };
    });
    this.#wire.start({ hello: 1, adapter: `node ${process.versions.node}`, features: [], subjects });
  }

  #answer(message) {
    const its = this.#cases.get(message.case);
    if (message.notice === "released") its?.release(message.subscription);
    else if (message.call === "open") return this.#open(message);
    else if (message.call === "end") {
      if (its !== undefined) its.over = true;
      this.#cases.delete(message.case);
    } else its?.answer(message);
    return undefined;
  }

  #open(message) {
    const factory = this.#factories.get(message.subject);
    const { role, failing, size, sharing } = factory.tck ?? {};
    if ((message.fail && failing === undefined) || ("subscribers" in message && sharing === undefined)) {
      // A stream is one reader's.
      return { none: true };
    }
    const its = new Case(message.case, this.#wire);
    if (role === "processor") its.playSource(factory, message.buffer ?? 16);
    else if (role === "subscriber") its.subscriber = factory();
    else its.publisher = publisherOf(message.fail ? failing() : factory(message.items ?? Infinity), size);
    this.#cases.set(message.case, its);
    return undefined;
  }
}

// What the subjects print must not mix with the protocol.
Object.defineProperty(process, "stdout", { value: process.stderr });
process.on("uncaughtException", (error) => {
  // What the TCK's subscribers throw on purpose may come out of the event loop.
  if (!(error instanceof SubscriberFailure)) console.error(error);
});

if (process.argv.length < 3) {
  console.error("name a module, or a module and a factory: ./module.mjs#factory");
  process.exit(2);
}
const adapter = new Adapter();
for (const argument of process.argv.slice(2)) await adapter.load(argument);
adapter.start();
