"""Subjects for the adapter's own test: right ones, and one for each of some mistakes."""

import asyncio
import itertools


async def generator(n):
    for i in itertools.count() if n is None else range(n):
        yield i


async def _fails():
    raise RuntimeError("as asked for")
    yield  # it is a generator


generator.tck = {"asynchronous": True, "failing": _fails}


class Range:
    """A synchronous publisher of numbers, with a mistake if one is named."""

    def __init__(self, n, mistake=None):
        self.n, self.mistake = n, mistake

    def subscribe(self, subscriber):
        if self.mistake == "no on_subscribe":
            subscriber.on_complete()
            return
        subscription = Numbers(self.n, self.mistake, subscriber)
        subscriber.on_subscribe(subscription)
        subscription.begun = True
        subscription.drain()


class Numbers:
    def __init__(self, n, mistake, subscriber):
        self.n, self.mistake, self.subscriber = n, mistake, subscriber
        self.next, self.demand, self.sending, self.begun = 0, 0, False, False
        self.illegal = False

    def request(self, n):
        if n < 1 and self.mistake != "ignores zero":
            self.illegal = True
        self.demand += n + (1 if self.mistake == "one too many" and n > 0 else 0)
        self.drain()

    def cancel(self):
        if self.mistake == "raises in cancel":
            raise RuntimeError("no")
        if self.mistake != "ignores cancel":
            self.subscriber = None

    def drain(self):
        if not self.begun or (self.sending and self.mistake != "recurses"):
            return
        self.sending = True
        while self.subscriber is not None:
            if self.illegal:
                subscriber, self.subscriber = self.subscriber, None
                subscriber.on_error(ValueError("a request for less than one item"))
            elif self.next == self.n:
                subscriber = self.subscriber
                if self.mistake == "never completes":
                    break
                if self.mistake != "keeps the subscriber":
                    self.subscriber = None
                else:
                    KEPT.append(subscriber)
                    self.subscriber = None
                try:
                    subscriber.on_complete()
                except Exception:
                    pass  # It has ended anyway.
                if self.mistake == "completes twice":
                    subscriber.on_complete()
            elif self.demand > 0:
                self.demand -= 1
                self.next += 1
                if self.mistake == "loses an item" and self.next == 2:
                    self.next += 1
                try:
                    self.subscriber.on_next(self.next - 1)
                except Exception:
                    # A subscriber that raises counts as one that has canceled.
                    self.subscriber = None
            else:
                break
        self.sending = False


KEPT = []


def plain(n):
    return Range(n)


plain.tck = {}


async def ends_late(n):
    """Right, if unusual: it ends a while after its last item."""
    for i in itertools.count() if n is None else range(n):
        yield i
    await asyncio.sleep(0.01)


ends_late.tck = {"asynchronous": True, "max_length": 500}


class Batches:
    """Right, if unusual: an iterator of its own, which makes its items three at a time."""

    def __init__(self, n):
        self.rest, self.batch = iter(itertools.count() if n is None else range(n)), []

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.batch = self.batch or list(itertools.islice(self.rest, 3))
        if not self.batch:
            raise StopAsyncIteration
        return self.batch.pop(0)


def batches(n):
    return Batches(n)


batches.tck = {"asynchronous": True}


def mistaken(mistake):
    def factory(n):
        return Range(n, mistake)

    factory.tck = {"max_length": 200}
    return factory


no_on_subscribe = mistaken("no on_subscribe")
ignores_zero = mistaken("ignores zero")
one_too_many = mistaken("one too many")
ignores_cancel = mistaken("ignores cancel")
raises_in_cancel = mistaken("raises in cancel")
recurses = mistaken("recurses")
never_completes = mistaken("never completes")
completes_twice = mistaken("completes twice")
loses_an_item = mistaken("loses an item")
keeps_the_subscriber = mistaken("keeps the subscriber")


class OneByOne:
    """A subscriber that requests one item after the other."""

    def __init__(self):
        self.subscription = None

    def on_subscribe(self, subscription):
        if self.subscription is not None:
            subscription.cancel()
        else:
            self.subscription = subscription
            subscription.request(1)

    def on_next(self, item):
        self.subscription.request(1)

    def on_error(self, error):
        pass

    def on_complete(self):
        pass


def one_by_one():
    return OneByOne()


one_by_one.tck = {"role": "subscriber"}


class AllAtOnce(OneByOne):
    """A subscriber that requests all it can, once."""

    def on_subscribe(self, subscription):
        if self.subscription is not None:
            subscription.cancel()
        else:
            self.subscription = subscription
            subscription.request(2**63 - 1)

    def on_next(self, item):
        pass


def all_at_once():
    return AllAtOnce()


all_at_once.tck = {"role": "subscriber"}


class TakesTheSecond(OneByOne):
    """A subscriber that goes over to its second subscription."""

    def on_subscribe(self, subscription):
        self.subscription = subscription
        subscription.request(1)


def takes_the_second():
    return TakesTheSecond()


takes_the_second.tck = {"role": "subscriber"}
