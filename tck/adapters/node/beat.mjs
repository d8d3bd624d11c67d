// A thread that says once a second that the process is alive, whatever the main thread does.

import { writeSync } from "node:fs";

setInterval(() => writeSync(1, '{"notice":"beat"}\n'), 1000);
