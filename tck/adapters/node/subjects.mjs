// Subjects for the adapter's own test: right ones, and one for each of some mistakes.

import { Readable } from "node:stream";

const failing = () => Readable.from((async function* fails() { throw new Error("as asked for"); })());

/** A stream of numbers. */
const counting = (n, options, read) => {
  let next = 0;
  return new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      read(this, next, n);
      next += 1;
    },
    ...options,
  });
};

const pushes = (stream, next, n) => stream.push(next < n ? next : null);

/** A right one. */
export const readable = (n) => counting(n, {}, pushes);
readable.tck = { failing };

/** Right, if unusual: it ends in the call that gives the last item. */
export const endsWithTheLast = (n) =>
  counting(n, {}, (stream, next) => {
    if (next < n) stream.push(next);
    if (next + 1 >= n) stream.push(null);
  });

/** Right, if unusual: it takes a turn of the event loop for each item. */
export const slow = (n) => counting(n, {}, (...given) => setImmediate(pushes, ...given));
slow.tck = { max_length: 200 };

/** Right, if unusual: it reads nothing ahead. */
export const readsNothingAhead = (n) => counting(n, { highWaterMark: 0 }, pushes);

/** Right, of the web's kind. */
export const web = (n) => {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < n) controller.enqueue(next++);
      else controller.close();
    },
  });
};
web.tck = { failing: () => new ReadableStream({ start: (controller) => controller.error(new Error("as asked for")) }) };

export const neverEnds = (n) => counting(n, {}, (stream, next) => next < n && stream.push(next));

export const losesAnItem = (n) =>
  counting(n, {}, (stream, next) => pushes(stream, next < 1 ? next : next + 1, n));

export const sendsTwice = (n) => counting(n, {}, (stream, next) => pushes(stream, next < 1 ? next : next - 1, n));

export const failsInPlaceOfTheEnd = (n) =>
  counting(n, {}, (stream, next) => (next < n ? stream.push(next) : stream.destroy(new Error("no"))));

export const closesWithoutEnd = (n) =>
  counting(n, {}, (stream, next) => (next < n ? stream.push(next) : stream.destroy()));

export const completesInPlaceOfTheError = readable.bind(undefined);
completesInPlaceOfTheError.tck = { failing: () => Readable.from([]) };

/** A publisher with the four signals, and with a mistake if one is named. */
const plainly = (mistake) => (n) => ({
  subscribe(subscriber) {
    let [next, demand, over, sending, illegal] = [0, 0, false, false, false];
    const drain = () => {
      if (sending && mistake !== "recurses") return;
      sending = true;
      while (!over) {
        if (illegal) {
          over = true;
          subscriber.onError(new RangeError("rule 3.9"));
        } else if (next >= n) {
          over = true;
          try {
            subscriber.onComplete();
            if (mistake === "completesTwice") subscriber.onComplete();
          } catch {
            // It has ended anyway.
          }
        } else if (demand > 0) {
          demand -= 1;
          try {
            subscriber.onNext(next++);
          } catch {
            over = true;
          }
        } else break;
      }
      sending = false;
    };
    const subscription = {
      request(asked) {
        illegal ||= asked < 1 && mistake !== "ignoresZero";
        demand += asked + (mistake === "oneTooMany" ? 1 : 0);
        if (begun) drain();
      },
      cancel() {
        if (mistake !== "ignoresCancel") over = true;
      },
    };
    let begun = false;
    subscriber.onSubscribe(subscription);
    begun = true;
    drain();
  },
});

const named = (mistake) => Object.assign(plainly(mistake), { tck: { asynchronous: false, max_length: 200 } });

export const plain = named();
export const recurses = named("recurses");
export const completesTwice = named("completesTwice");
export const ignoresZero = named("ignoresZero");
export const oneTooMany = named("oneTooMany");
export const ignoresCancel = named("ignoresCancel");

const oneByOne = (mistake) => () => ({
  onSubscribe(subscription) {
    if (this.subscription !== undefined && mistake !== "takesTheSecond") return subscription.cancel();
    this.subscription = subscription;
    return subscription.request(1);
  },
  onNext() {
    this.subscription.request(1);
  },
  onError() {},
  onComplete() {},
});

const taking = (mistake) => Object.assign(oneByOne(mistake), { tck: { role: "subscriber" } });

export const oneByOneItem = taking();
export const takesTheSecond = taking("takesTheSecond");

/** A `Readable` whose source is the TCK; `highWaterMark` bounds what it asks for. */
const bounded = (factor) => (highWaterMark, source) => {
  const stream = new Readable({
    objectMode: true,
    highWaterMark: highWaterMark * factor,
    read: () => source.request(1),
    destroy(error, done) {
      source.cancel();
      done(error);
    },
  });
  return {
    stream,
    onNext: (item) => stream.push(item),
    onError: (error) => stream.destroy(error),
    onComplete: () => stream.push(null),
  };
};

export const highWaterMark = Object.assign(bounded(1), { tck: { role: "processor", sharing: "single" } });
export const readsTooFarAhead = Object.assign(bounded(4), { tck: { role: "processor", sharing: "single" } });

/** A `ReadableStream` whose source is the TCK. */
export const webHighWaterMark = (highWaterMark, source) => {
  let controller;
  let arrived = () => {};
  const stream = new ReadableStream(
    {
      start: (its) => {
        controller = its;
      },
      // A stream pulls again as soon as this has ended, whether or not an item has come: a source that is
      // asked for one item a pull, and is slow, has to be waited for, or it is asked for too many.
      pull: () =>
        new Promise((done) => {
          arrived = done;
          source.request(1);
        }),
      cancel: () => source.cancel(),
    },
    { highWaterMark },
  );
  const then = (act) => (given) => {
    act(given);
    arrived();
  };
  return {
    stream,
    onNext: then((item) => controller.enqueue(item)),
    onError: then((error) => controller.error(error)),
    onComplete: then(() => controller.close()),
  };
};

webHighWaterMark.tck = { role: "processor", sharing: "single" };
