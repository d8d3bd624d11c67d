// A thread that reads what the TCK says, so that the main thread can wait for it inside a call.

import { readSync } from "node:fs";
import { workerData } from "node:worker_threads";

const { port, arrivals } = workerData;
const part = Buffer.alloc(65536);
let rest = "";

const tell = (message) => {
  port.postMessage(message);
  Atomics.add(arrivals, 0, 1);
  Atomics.notify(arrivals, 0);
};

for (let n = readSync(0, part); n > 0; n = readSync(0, part)) {
  // The lines of the TCK are ASCII.
  const lines = (rest + part.latin1Slice(0, n)).split("\n");
  rest = lines.pop();
  lines.forEach((line) => tell(JSON.parse(line)));
}
tell(null);
