"""Async iterators of others. Such a one is asked for an item where one was requested."""

import asyncio
import itertools

import aiostream
import anyio
import asyncstdlib


def numbers(n):
    return itertools.count() if n is None else range(n)


async def later(n):
    for i in numbers(n):
        yield i


async def failing():
    raise RuntimeError("as asked for")
    yield  # it is a generator


def judged(fails=None, **capabilities):
    """Declares what a factory makes, and how its failing twin is made."""

    def declare(factory):
        factory.tck = {"asynchronous": True, **capabilities}
        if fails is not None:
            factory.tck["failing"] = fails
        return factory

    return declare


# aiostream: its operators.


def of_aiostream(operate, **capabilities):
    made = lambda n: operate(aiostream.stream.iterate(later(n)))  # noqa: E731
    return judged(lambda: operate(aiostream.stream.iterate(failing())), **capabilities)(made)


aiostream_map = of_aiostream(lambda source: aiostream.stream.map(source, lambda i: i))
aiostream_concat_map = of_aiostream(
    lambda source: aiostream.stream.concatmap(source, lambda i: aiostream.stream.just(i))
)
aiostream_chunks = of_aiostream(
    lambda source: aiostream.stream.flatten(
        aiostream.stream.map(aiostream.stream.chunks(source, 3), aiostream.stream.iterate)
    ),
    numbering="any",
)
aiostream_zip = of_aiostream(
    lambda source: aiostream.stream.starmap(
        aiostream.stream.zip(source, aiostream.stream.count()), lambda i, _: i
    )
)


# asyncstdlib: itertools for async iterators.


def of_asyncstdlib(operate, **capabilities):
    return judged(lambda: operate(failing()), **capabilities)(lambda n: operate(later(n)))


asyncstdlib_map = of_asyncstdlib(lambda source: asyncstdlib.map(lambda i: i, source))
asyncstdlib_chain = of_asyncstdlib(lambda source: asyncstdlib.chain(source, []))
asyncstdlib_tee = of_asyncstdlib(lambda source: asyncstdlib.tee(source, n=1)[0])


# anyio: the receiving end of its channel.


def channel(places):
    @judged()
    def factory(n):
        sender, receiver = anyio.create_memory_object_stream(places)

        async def send():
            async with sender:
                for i in numbers(n):
                    try:
                        await sender.send(i)
                    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                        return

        async def received():
            sending = asyncio.ensure_future(send())
            try:
                async with receiver:
                    async for item in receiver:
                        yield item
            finally:
                sending.cancel()

        return received()

    return factory


anyio_without_places = channel(0)
anyio_with_places = channel(4)
