// What demand means to the streams of Node: an item is taken out of them where one was requested, never ahead.
//
// - A `Readable` is asked by `read(size)`, and by `read(0)` where nothing is requested, which takes no item
//   and lets an end show. What the stream itself reads ahead is bounded by its `highWaterMark`.
// - A `ReadableStream` is asked by `reader.read()`, once for each requested item and one after the other.
// - An async iterator is asked by `next()` in the same way.
//
// A cancel is `destroy()`, `reader.cancel()` or `return()`. Rules about a subscription alone, such as 3.9,
// are kept by this file; items, their order, the end, failures and what comes after a cancel are the stream's.

/** A publisher of what a stream has; `size` bytes make an item of a stream of bytes. */
export function publisherOf(made, size) {
  if (typeof made.subscribe === "function") return made;
  // A stream that fails before someone listens would end the process.
  made.on?.("error", () => {});
  const Taking =
    typeof made.read === "function" ? FromReadable : typeof made.getReader === "function" ? FromReader : FromIterator;
  return {
    subscribe(subscriber) {
      const subscription = new Taking(made, subscriber, size);
      subscriber.onSubscribe(subscription);
      subscription.begin();
    },
  };
}

/** What all subscriptions share. */
class Taking {
  demand = 0;
  begun = false;

  constructor(stream, subscriber) {
    this.stream = stream;
    this.subscriber = subscriber;
  }

  get over() {
    return this.subscriber === undefined;
  }

  begin() {
    this.begun = true;
    if (this.over) this.release();
    else this.open();
    this.wake();
  }

  request(n) {
    if (n < 1) {
      this.illegal = true;
    }
    this.demand += n;
    this.wake();
  }

  cancel() {
    if (this.over) return;
    this.subscriber = undefined;
    if (this.begun) this.release();
  }

  wake() {
    // Not inside of `request`, so that `onNext` does not recurse.
    if (this.begun && !this.woken) {
      this.woken = true;
      setImmediate(() => {
        this.woken = false;
        if (this.illegal) {
          const stream = this.over ? undefined : this;
          this.end((subscriber) => subscriber.onError(new RangeError("a request for less than one item (rule 3.9)")));
          stream?.release();
        } else if (!this.over) this.take();
      });
    }
  }

  /** Sends an item; a subscriber that throws counts as one that has canceled. */
  send(item) {
    this.demand -= 1;
    try {
      this.subscriber.onNext(item);
    } catch {
      this.cancel();
    }
  }

  end(signal) {
    const subscriber = this.subscriber;
    this.subscriber = undefined;
    if (subscriber !== undefined) {
      try {
        signal(subscriber);
      } catch {
        // It has ended anyway.
      }
    }
  }

  complete() {
    // The error is on its way.
    if (this.illegal) return;
    this.end((subscriber) => subscriber.onComplete());
  }

  fail(error) {
    this.end((subscriber) => subscriber.onError(error));
  }
}

class FromReadable extends Taking {
  constructor(stream, subscriber, size) {
    super(stream, subscriber);
    this.size = size;
  }

  open() {
    const { stream } = this;
    const closed = () => this.fail(stream.errored ?? new Error("the stream was closed before its end"));
    if (stream.readableEnded) return this.complete();
    if (stream.destroyed) return closed();
    stream.on("readable", () => this.take());
    stream.on("end", () => this.complete());
    stream.on("error", (error) => this.fail(error));
    return stream.on("close", closed);
  }

  take() {
    // What is nested in a signal waits until that has returned.
    if (this.taking) return;
    this.taking = true;
    let item;
    while (!this.over && !this.illegal && this.demand > 0 && item !== null) {
      item = this.stream.read(this.size);
      if (item !== null) this.send(item);
    }
    this.taking = false;
    // Where it has items, this would only say so again, without end.
    if (!this.over && this.stream.readableLength === 0) this.stream.read(0);
  }

  release() {
    this.stream.destroy();
  }
}

/** Asks for one item after the other. */
class Asking extends Taking {
  async take() {
    if (this.asking) return;
    this.asking = true;
    try {
      while (!this.over && this.demand > 0 && !this.illegal) {
        const { done, value } = await this.next();
        if (done) this.ended = true;
        if (done || this.over) break;
        this.send(value);
      }
    } catch (error) {
      this.fail(error);
    }
    this.asking = false;
    if (this.ended) this.complete();
    else if (this.illegal) this.wake();
  }
}

class FromReader extends Asking {
  open() {
    this.reader = this.stream.getReader();
    // The last item may still be on its way when the stream is closed.
    const closed = () => {
      this.ended = true;
      if (!this.asking) this.complete();
    };
    this.reader.closed.then(closed, (error) => this.fail(error));
  }

  next() {
    return this.reader.read();
  }

  release() {
    const canceled = this.reader === undefined ? this.stream.cancel() : this.reader.cancel();
    canceled.catch(() => {});
  }
}

class FromIterator extends Asking {
  open() {
    this.iterator = this.stream[Symbol.asyncIterator]();
  }

  next() {
    return this.iterator.next();
  }

  release() {
    Promise.resolve(this.iterator?.return?.()).catch(() => {});
  }
}
