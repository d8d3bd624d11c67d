// A peer that speaks RSocket by rsocket-js: `peer.cjs server TRANSPORT` or
// `peer.cjs client TRANSPORT PORT`, where the transport is `tcp` or `websocket`, with its packages
// in the folder that NODE_PATH names.
//
// As a server it prints its port and answers as the Rust peer does; as a client it plays all
// interactions against a server and ends with 0 if they went as they should.

const { RSocketConnector, RSocketServer } = require('rsocket-core');
const { TcpClientTransport } = require('rsocket-tcp-client');
const { TcpServerTransport } = require('rsocket-tcp-server');
const { WebsocketClientTransport } = require('rsocket-websocket-client');
const { WebsocketServerTransport } = require('rsocket-websocket-server');
const WebSocket = require('ws');
const assert = require('node:assert');
const net = require('node:net');

const fragmentation = { maxOutboundFragmentSize: 1024 };
let heard = Buffer.alloc(0);
const ignored = { onExtension() {} };

/** Numbers from `from` up to `to`, as far as they are asked for. */
function numbers(from, to, out) {
  let next = from;
  let demand = 0;
  let isOver = false;
  let isRunning = false;
  return {
    request(n) {
      demand += n;
      if (isRunning) return;
      isRunning = true;
      while (!isOver && demand > 0 && next < to) {
        demand -= 1;
        next += 1;
        isOver = next === to;
        out.onNext({ data: Buffer.from(String(next - 1)) }, isOver);
      }
      isRunning = false;
    },
    cancel() { isOver = true; },
    onExtension() {},
  };
}

const service = {
  fireAndForget(payload, out) {
    heard = payload.data;
    out.onComplete();
    return { cancel() {} };
  },
  requestResponse(payload, out) {
    const text = payload.data.toString();
    // The responder has to be known before it answers.
    setImmediate(() => {
      if (text === 'fail') out.onError(new Error('as asked'));
      else if (text === 'heard') out.onNext({ data: heard }, true);
      else out.onNext(payload, true);
    });
    return { cancel() {}, onExtension() {} };
  },
  requestStream(payload, initialN, out) {
    const text = payload.data.toString();
    if (text === 'fail') {
      setImmediate(() => out.onError(new Error('as asked')));
      return { request() {}, cancel() {}, onExtension() {} };
    }
    const stream = numbers(0, Number(text), out);
    setImmediate(() => stream.request(initialN));
    return stream;
  },
  requestChannel(payload, initialN, isCompleted, out) {
    const waiting = [[payload, isCompleted]];
    let demand = initialN;
    let isOver = false;
    const drain = () => {
      while (!isOver && waiting.length > 0 && (waiting[0][0] === null || demand > 0)) {
        const [item, isLast] = waiting.shift();
        isOver = isLast;
        if (item === null) out.onComplete();
        else { demand -= 1; out.onNext(item, isLast); }
      }
    };
    setImmediate(() => { drain(); if (initialN > 1) out.request(initialN - 1); });
    return {
      onNext(item, isLast) { waiting.push([item, isLast]); drain(); },
      onComplete() { waiting.push([null, true]); drain(); },
      onError(error) { out.onError(error); },
      request(n) { demand += n; drain(); out.request(n); },
      cancel() { isOver = true; },
      onExtension() {},
    };
  },
};

function serverTransport(name, port) {
  if (name === 'tcp') {
    return new TcpServerTransport({ listenOptions: { port, host: '127.0.0.1' } });
  }
  const wsCreator = () => new WebSocket.Server({ port, host: '127.0.0.1' });
  return new WebsocketServerTransport({ host: '127.0.0.1', port, wsCreator });
}

function clientTransport(name, port) {
  if (name === 'tcp') {
    return new TcpClientTransport({ connectionOptions: { host: '127.0.0.1', port } });
  }
  const wsCreator = (url) => new WebSocket(url);
  return new WebsocketClientTransport({ url: `ws://127.0.0.1:${port}/`, wsCreator });
}

async function serve(name) {
  // The transport does not tell which port it was given.
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const server = new RSocketServer({
    transport: serverTransport(name, port),
    acceptor: { accept: async () => service },
    fragmentation,
  });
  await server.bind();
  console.log(port);
}

/** Collects items, `n` at a time, and cancels after `limit`. */
function collect(start, n, limit) {
  return new Promise((resolve) => {
    const items = [];
    let left = n;
    const end = (error) => resolve({ items, error });
    const stream = start({
      ...ignored,
      onNext(payload, isComplete) {
        items.push(payload.data.toString());
        left -= 1;
        assert(left >= 0, 'more than was asked for');
        if (items.length === limit) { stream.cancel(); end(); }
        else if (isComplete) end();
        else if (left === 0) { left = n; stream.request(n); }
      },
      onComplete: () => end(),
      onError: end,
    });
  });
}

async function play(socket) {
  const response = (payload) => new Promise((resolve, reject) => {
    socket.requestResponse(payload, {
      ...ignored, onNext: resolve, onComplete: () => resolve(undefined), onError: reject,
    });
  });
  const text = (data) => ({ data: Buffer.from(data) });

  const large = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
  const echoed = await response({ data: large, metadata: Buffer.from('beside'.repeat(500)) });
  assert(echoed.data.equals(large) && echoed.metadata.toString() === 'beside'.repeat(500));

  await new Promise((resolve, reject) => {
    socket.fireAndForget(text('fire'), { onComplete: resolve, onError: reject });
  });
  assert.equal((await response(text('heard'))).data.toString(), 'fire');
  await assert.rejects(response(text('fail')), /as asked/);

  const expected = Array.from({ length: 100 }, (_, i) => String(i));
  for (const n of [1, 7, 0x7FFFFFFF]) {
    const got = await collect((out) => socket.requestStream(text('100'), n, out), n);
    assert.deepEqual(got, { items: expected, error: undefined });
  }
  const cut = await collect((out) => socket.requestStream(text('1000000'), 1, out), 1, 3);
  assert.deepEqual(cut.items, expected.slice(0, 3));
  const failed = await collect((out) => socket.requestStream(text('fail'), 9, out), 9);
  assert.match(failed.error.message, /as asked/);

  for (const n of [1, 0x7FFFFFFF]) {
    const got = await collect((out) => {
      let source;
      const channel = socket.requestChannel(text('0'), n, false, {
        ...out,
        request: (m) => source.request(m),
        cancel: () => source.cancel(),
      });
      source = numbers(1, 50, channel);
      return channel;
    }, n);
    assert.deepEqual(got, { items: expected.slice(0, 50), error: undefined });
  }
}

async function ask(name, port) {
  const socket = await new RSocketConnector({
    transport: clientTransport(name, port),
    setup: { keepAlive: 100, lifetime: 10_000 },
    fragmentation,
  }).connect();
  await play(socket);
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log('ok');
  process.exit(0);
}

if (process.argv[2] === 'server') serve(process.argv[3]);
else ask(process.argv[3], Number(process.argv[4]));
