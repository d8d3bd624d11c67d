"""A peer that speaks RSocket by rsocket-py: `peer.py server tcp` or
`peer.py client tcp PORT`.

As a server it prints its port and answers as the Rust peer does; as a client it plays all
interactions against a server and ends with 0 if they went as they should.
"""

import asyncio
import sys
from datetime import timedelta

from reactivestreams.publisher import Publisher
from reactivestreams.subscriber import DefaultSubscriber, Subscriber
from reactivestreams.subscription import DefaultSubscription
from rsocket.helpers import create_future, single_transport_provider
from rsocket.payload import Payload
from rsocket.request_handler import BaseRequestHandler
from rsocket.rsocket_client import RSocketClient
from rsocket.rsocket_server import RSocketServer
from rsocket.streams.stream_from_generator import StreamFromGenerator
from rsocket.transports.tcp import TransportTCP

FRAGMENT = 1024
heard = [b'']


def numbers(n):
    """Payloads from 0 up to n."""
    def generate():
        for i in range(n):
            yield Payload(str(i).encode()), i == n - 1
    return StreamFromGenerator(generate)


class Failing(Publisher, DefaultSubscription):
    """Fails when it is asked for something."""

    def subscribe(self, subscriber):
        self.subscriber = subscriber
        subscriber.on_subscribe(self)

    def request(self, n):
        self.subscriber.on_error(Exception('as asked'))

    def cancel(self):
        pass


class Echo(Publisher, Subscriber, DefaultSubscription):
    """The items of a channel, on their way back; the first one comes by itself."""

    def __init__(self, first):
        self.waiting = [(first, False)]
        self.inbound = None
        self.outbound = None
        self.demand = 0

    def subscribe(self, subscriber):
        self.outbound = subscriber
        subscriber.on_subscribe(self)

    def on_subscribe(self, subscription):
        self.inbound = subscription

    def on_next(self, value, is_complete=False):
        self.waiting.append((value, is_complete))
        self.drain()

    def on_complete(self):
        self.waiting.append((None, True))
        self.drain()

    def on_error(self, exception):
        self.outbound.on_error(exception)

    def request(self, n):
        self.demand += n
        self.drain()
        if self.inbound is not None:
            self.inbound.request(n)

    def cancel(self):
        if self.inbound is not None:
            self.inbound.cancel()

    def drain(self):
        while self.waiting and (self.waiting[0][0] is None or self.demand > 0):
            value, is_complete = self.waiting.pop(0)
            if value is None:
                self.outbound.on_complete()
                return
            self.demand -= 1
            self.outbound.on_next(value, is_complete)


class Service(BaseRequestHandler):
    async def on_setup(self, data_encoding, metadata_encoding, payload):
        pass

    async def request_response(self, payload):
        if payload.data == b'fail':
            raise Exception('as asked')
        if payload.data == b'heard':
            return create_future(Payload(heard[0]))
        return create_future(payload)

    async def request_stream(self, payload):
        if payload.data == b'fail':
            return Failing()
        return numbers(int(payload.data))

    async def request_channel(self, payload):
        echo = Echo(payload)
        return echo, echo

    async def request_fire_and_forget(self, payload):
        heard[0] = payload.data


class Collect(DefaultSubscriber):
    """Asks for n items at a time, and cancels after a limit."""

    def __init__(self, n, limit=None):
        self.n, self.limit, self.items = n, limit, []
        self.left = n
        self.done = asyncio.Event()
        self.error = None

    def on_next(self, value, is_complete=False):
        self.items.append(value.data)
        self.left -= 1
        assert self.left >= 0, 'more than was asked for'
        if self.limit is not None and len(self.items) == self.limit:
            self.subscription.cancel()
            self.done.set()
        elif is_complete:
            self.done.set()
        elif self.left == 0:
            self.left = self.n
            self.subscription.request(self.n)

    def on_complete(self):
        self.done.set()

    def on_error(self, exception):
        self.error = exception
        self.done.set()

    def on_subscribe(self, subscription):
        self.subscription = subscription


async def collected(publisher, n, limit=None):
    subscriber = Collect(n, limit)
    publisher.initial_request_n(n).subscribe(subscriber)
    await asyncio.wait_for(subscriber.done.wait(), 20)
    return subscriber


async def play(client):
    large = bytes(i % 251 for i in range(100_000))
    echoed = await client.request_response(Payload(large, b'beside' * 500))
    assert (echoed.data, echoed.metadata) == (large, b'beside' * 500), 'fragments'

    await client.fire_and_forget(Payload(b'fire'))
    assert (await client.request_response(Payload(b'heard'))).data == b'fire', 'fire and forget'

    try:
        await client.request_response(Payload(b'fail'))
        raise AssertionError('no error')
    except Exception as error:
        assert 'as asked' in str(error), error

    expected = [str(i).encode() for i in range(100)]
    for n in (1, 7, 0x7FFFFFFF):
        got = await collected(client.request_stream(Payload(b'100')), n)
        assert got.items == expected and got.error is None, ('stream', n, got.items)
    got = await collected(client.request_stream(Payload(b'1000000')), 1, limit=3)
    assert got.items == expected[:3], 'cancel'
    got = await collected(client.request_stream(Payload(b'fail')), 9)
    assert got.error is not None, 'error of a stream'

    for n in (1, 0x7FFFFFFF):
        def generate():
            for i in range(1, 50):
                yield Payload(str(i).encode()), i == 49
        channel = client.request_channel(Payload(b'0'), StreamFromGenerator(generate))
        got = await collected(channel, n)
        assert got.items == expected[:50] and got.error is None, ('channel', n, got.items)


async def serve():
    def session(*connection):
        RSocketServer(TransportTCP(*connection), handler_factory=Service,
                      fragment_size_bytes=FRAGMENT)

    server = await asyncio.start_server(session, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def ask(port):
    connection = await asyncio.open_connection('127.0.0.1', port)
    async with RSocketClient(single_transport_provider(TransportTCP(*connection)),
                             fragment_size_bytes=FRAGMENT,
                             keep_alive_period=timedelta(milliseconds=100)) as client:
        await play(client)
        # Signs of life come and go meanwhile.
        await asyncio.sleep(0.5)
        assert (await client.request_response(Payload(b'still'))).data == b'still'
    print('ok')


if sys.argv[1] == 'server':
    asyncio.run(serve())
else:
    asyncio.run(ask(int(sys.argv[3])))
