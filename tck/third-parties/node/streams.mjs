// Streams of Node itself. In a stream of bytes, eight of them are an item.

import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, pipeline } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";

function* numbers(n) {
  for (let i = 0; i < n; i++) yield i;
}

async function* later(n) {
  yield* numbers(n);
}

/** The bytes of at most so many numbers. */
const bytes = (n) => {
  const all = Buffer.alloc(8 * n);
  for (let i = 0; i < n; i++) all.writeBigUInt64LE(BigInt(i), 8 * i);
  return all;
};

const failing = () =>
  Readable.from(
    (async function* fails() {
      throw new Error("as asked for");
    })(),
  );

export const readableFrom = (n) => Readable.from(numbers(n));
readableFrom.tck = { failing };

export const readableFromAsync = (n) => Readable.from(later(n));
readableFromAsync.tck = { failing };

export const passThrough = (n) => pipeline(readableFrom(n), new PassThrough({ objectMode: true }), () => {});
passThrough.tck = { failing: () => pipeline(failing(), new PassThrough({ objectMode: true }), () => {}) };

export const toWeb = (n) => Readable.toWeb(readableFrom(n));
toWeb.tck = { failing: () => Readable.toWeb(failing()) };

export const asyncGenerator = (n) => later(n);

export const gunzip = (n) => pipeline(Readable.from([gzipSync(bytes(Math.min(n, 1000)))]), createGunzip(), () => {});
gunzip.tck = {
  size: 8,
  max_length: 1000,
  failing: () => pipeline(Readable.from([Buffer.from("no gzip at all")]), createGunzip(), () => {}),
};

const folder = mkdtempSync(join(tmpdir(), "tck-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export const file = (n) => {
  const length = Math.min(n, 1000);
  const path = join(folder, String(length));
  // It may be read already, so that it is written once.
  if (!existsSync(path)) writeFileSync(path, bytes(length));
  return createReadStream(path);
};
file.tck = { size: 8, max_length: 1000, failing: () => createReadStream(join(folder, "there-is-none")) };
