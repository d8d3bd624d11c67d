"""The publishers of rsocket-py.

They belong to an event loop, and mark their last item: `OnLoop` calls them there, and passes that
mark on as `on_complete`.
"""

import asyncio
import threading
from concurrent.futures import TimeoutError as TooLong

from iterators import judged, numbers
from rsocket.streams.empty_stream import EmptyStream
from rsocket.streams.error_stream import ErrorStream
from rsocket.streams.stream_from_async_generator import StreamFromAsyncGenerator
from rsocket.streams.stream_from_generator import StreamFromGenerator

LOOP = asyncio.new_event_loop()
THREAD = threading.Thread(target=LOOP.run_forever, daemon=True)
THREAD.start()


def on_loop(call, *arguments):
    """Calls it on the loop, and raises what it raises if that is known soon."""
    if threading.current_thread() is THREAD:
        return call(*arguments)

    async def called():
        return call(*arguments)

    future = asyncio.run_coroutine_threadsafe(called(), LOOP)
    try:
        # The loop may be within a signal that waits for this call.
        return future.result(timeout=0.05)
    except TooLong:
        return None


class OnLoop:
    """A publisher whose methods are called on the loop."""

    def __init__(self, make):
        self.make = make

    def subscribe(self, subscriber):
        on_loop(lambda: self.make().subscribe(Unmarked(subscriber)))


class Unmarked:
    """Passes the mark of a last item on as `on_complete`."""

    def __init__(self, subscriber):
        self.subscriber = subscriber

    def on_subscribe(self, subscription):
        self.subscriber.on_subscribe(OnLoopSubscription(subscription))

    def on_next(self, payload, is_complete=False):
        self.subscriber.on_next(payload)
        if is_complete:
            self.subscriber.on_complete()

    def on_error(self, error):
        self.subscriber.on_error(error)

    def on_complete(self):
        self.subscriber.on_complete()


class OnLoopSubscription:
    def __init__(self, subscription):
        self.subscription = subscription

    def request(self, n):
        on_loop(self.subscription.request, n)

    def cancel(self):
        on_loop(self.subscription.cancel)


def marked(n):
    for i in numbers(n):
        yield i, i + 1 == n


async def marked_later(n):
    for item in marked(n):
        yield item


def fails():
    return OnLoop(lambda: ErrorStream(RuntimeError("as asked for")))


@judged(fails)
def generator(n):
    return OnLoop(EmptyStream if n == 0 else lambda: StreamFromGenerator(lambda: marked(n)))


@judged(fails)
def async_generator(n):
    return OnLoop(EmptyStream if n == 0 else lambda: StreamFromAsyncGenerator(lambda: marked_later(n)))
