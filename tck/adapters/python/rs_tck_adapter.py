"""Hosts publishers and subscribers for the TCK, which judges them from another process.

    rs-tck judge -- python3 rs_tck_adapter.py module:factory ...

A module alone names all of its factories that declare something. A factory takes a number of items (`None` for as many as are asked for) and gives an async iterator, or any
object with `subscribe(subscriber)`. One without arguments gives a subscriber. What a factory declares stands
in its attribute `tck`, a dict: `role` ("publisher" or "subscriber"), `failing` (a factory without arguments),
and capabilities as the protocol names them.

A subscriber has `on_subscribe(subscription)`, `on_next(item)`, `on_error(error)` and `on_complete()`; a
subscription has `request(n)` and `cancel()`. A request for less than one item is answered with a `ValueError`.
"""

import asyncio
import gc
import importlib
import json
import os
import platform
import queue
import sys
import threading
import time
import weakref

LARGEST = 2**64 - 1


class DeliberateError(Exception):
    """The error that the TCK sends, and by which it knows it again."""


class SubscriberFailure(Exception):
    """What a subscriber of the TCK raises on purpose."""


class Wire:
    """Calls to and from the TCK: each waits for its reply, and answers what is nested in it meanwhile."""

    def __init__(self, out, handler):
        self.out, self.handler = out, handler
        self.lock = threading.Lock()
        self.boxes = {}
        self.own = {}
        self.local = threading.local()

    def write(self, message):
        line = json.dumps(message, separators=(",", ":")) + "\n"
        with self.lock:
            self.out.write(line)
            self.out.flush()

    def call(self, message):
        thread = self.thread()
        box = self.box(thread)
        self.write({"thread": thread, **message})
        while True:
            heard = box.get()
            if "reply" in heard:
                if heard["reply"]:
                    return heard
                raise SubscriberFailure("a failure of the TCK's subscriber, on purpose")
            self.serve(thread, heard)

    def read(self, lines):
        for line in lines:
            message = json.loads(line)
            if "thread" in message:
                self.box(message["thread"]).put(message)
            else:
                self.handler(message)

    def box(self, thread):
        with self.lock:
            box = self.boxes.get(thread)
            if box is None:
                box = self.boxes[thread] = queue.SimpleQueue()
                if thread % 2 == 0:
                    threading.Thread(target=self.play, args=(thread, box), daemon=True).start()
            return box

    def play(self, thread, box):
        self.local.number = thread
        while True:
            self.serve(thread, box.get())

    def serve(self, thread, call):
        try:
            reply = self.handler(call) or {}
            self.write({"thread": thread, "reply": True, **reply})
        except BaseException as error:  # noqa: BLE001 what is raised is what is judged
            self.write({"thread": thread, "reply": False, "text": repr(error)})

    def thread(self):
        number = getattr(self.local, "number", None)
        if number is None:
            with self.lock:
                number = 1
                while number in self.own and self.own[number].is_alive():
                    number += 2
                self.own[number] = threading.current_thread()
            self.local.number = number
        return number


class Puppet:
    """The TCK's subscriber."""

    def __init__(self, case, k):
        self.case, self.k = case, k

    def on_subscribe(self, subscription):
        number = self.case.keep(self.k, subscription)
        self.tell("on_subscribe", subscription=number)

    def on_next(self, item):
        numbered = {"item": item} if isinstance(item, int) and 0 <= item <= LARGEST else {}
        self.tell("on_next", **numbered)

    def on_error(self, error):
        self.case.done(self.k)
        self.tell(
            "on_error",
            illegal=isinstance(error, ValueError),
            ours=isinstance(error, DeliberateError),
            text=repr(error),
        )

    def on_complete(self):
        self.case.done(self.k)
        self.tell("on_complete")

    def tell(self, call, **fields):
        if not self.case.over:
            try:
                self.case.wire.call({"call": call, "case": self.case.id, "subscriber": self.k, **fields})
            except SubscriberFailure:
                self.case.done(self.k)
                raise


class Given:
    """The TCK's subscription."""

    def __init__(self, case, number):
        self.case, self.number = case, number

    def request(self, n):
        self.tell({"call": "request", "n": max(0, min(n, LARGEST))})

    def cancel(self):
        self.tell({"call": "cancel"})

    def tell(self, call):
        if not self.case.over:
            self.case.wire.call({**call, "case": self.case.id, "subscription": self.number})


class Case:
    """A subject that is being played."""

    def __init__(self, number, wire, made):
        self.id, self.wire, self.made = number, wire, made
        self.over = False
        self.lock = threading.Lock()
        self.held = {}
        self.given = 0
        self.puppets = {}
        self.ended = set()

    def answer(self, message):
        call = message["call"]
        if call == "subscribe":
            k = message.get("subscriber", 1)
            puppet = Puppet(self, k)
            self.puppets[k] = weakref.ref(puppet)
            self.made.subscribe(puppet)
        elif call in ("request", "cancel"):
            with self.lock:
                k, subscription = self.held.get(message["subscription"], (0, None))
                if isinstance(subscription, weakref.ref):
                    subscription = subscription()
                if call == "cancel":
                    self.ended.add(k)
            if subscription is not None:
                if call == "request":
                    subscription.request(message["n"])
                else:
                    subscription.cancel()
        elif call == "collect":
            self.collect()
        elif call == "on_subscribe":
            self.made.on_subscribe(Given(self, message["subscription"]))
        elif call == "on_next":
            self.made.on_next(message["item"])
        elif call == "on_error":
            self.made.on_error(DeliberateError() if message.get("ours") else ValueError("rule 3.9"))
        elif call == "on_complete":
            self.made.on_complete()
        elif call not in ("settle", "drop"):
            raise ValueError(f"no such call: {call}")

    def keep(self, k, subscription):
        with self.lock:
            self.given += 1
            self.held[self.given] = (k, subscription)
            return self.given

    def done(self, k):
        with self.lock:
            self.ended.add(k)

    def release(self, number):
        with self.lock:
            self.held.pop(number, None)

    def collect(self):
        """Says which puppets of streams that are over nobody holds any more."""
        with self.lock:
            for number, (k, subscription) in self.held.items():
                if k in self.ended and not isinstance(subscription, weakref.ref):
                    self.held[number] = (k, weakref.ref(subscription))
            subscription = None
            live = {k for k, _ in self.held.values() if k not in self.ended}
            looked = {k: puppet for k, puppet in self.puppets.items() if k not in live}
        end = time.monotonic() + 5
        while looked and time.monotonic() < end:
            gc.collect()
            for k in [k for k, puppet in looked.items() if puppet() is None]:
                del looked[k], self.puppets[k]
                self.wire.write({"notice": "dropped", "case": self.id, "subscriber": k})
            if looked:
                time.sleep(0.005)


class FromAsyncIterator:
    """A publisher of an async iterator: it asks for an item where one was requested, and never ahead."""

    def __init__(self, loop, iterator):
        self.loop, self.iterator = loop, iterator

    def subscribe(self, subscriber):
        subscription = Pulling(self.loop, self.iterator, subscriber)
        subscriber.on_subscribe(subscription)
        subscription.start()


class Pulling:
    """The subscription to an async iterator."""

    def __init__(self, loop, iterator, subscriber):
        self.loop, self.iterator, self.subscriber = loop, iterator.__aiter__(), subscriber
        self.demand, self.illegal, self.canceled = 0, False, False
        self.lock = threading.Lock()
        self.wake = asyncio.Event()

    def start(self):
        asyncio.run_coroutine_threadsafe(self.run(), self.loop)

    def request(self, n):
        with self.lock:
            self.illegal |= n < 1
            self.demand += max(n, 0)
        self.loop.call_soon_threadsafe(self.wake.set)

    def cancel(self):
        self.canceled = True
        self.loop.call_soon_threadsafe(self.wake.set)

    async def run(self):
        subscriber, iterator = self.subscriber, self.iterator
        self.subscriber = self.iterator = None
        try:
            await self.pull(subscriber, iterator)
        except SubscriberFailure:
            # A subscriber that raises counts as one that has canceled.
            self.canceled = True
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    async def pull(self, subscriber, iterator):
        while not self.canceled:
            if self.illegal:
                return subscriber.on_error(ValueError("a request for less than one item (rule 3.9)"))
            if self.demand == 0:
                self.wake.clear()
                if self.demand == 0 and not (self.illegal or self.canceled):
                    await self.wake.wait()
                continue
            try:
                item = await iterator.__anext__()
            except StopAsyncIteration:
                return None if self.canceled else subscriber.on_complete()
            except Exception as error:  # noqa: BLE001 whatever it is, it is signaled
                return None if self.canceled else subscriber.on_error(error)
            with self.lock:
                self.demand -= 1
            if not self.canceled:
                subscriber.on_next(item)
        return None


class Adapter:
    def __init__(self, out, names):
        self.factories = {k: made for name in names for k, made in find(name).items()}
        self.cases = {}
        self.wire = Wire(out, self.answer)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def hello(self):
        subjects = []
        for name, factory in self.factories.items():
            declared = dict(getattr(factory, "tck", {}))
            declared.pop("failing", None)
            role = declared.pop("role", "publisher")
            subjects.append({"name": name.rpartition(":")[2], "role": role, "capabilities": declared})
        adapter = f"python {platform.python_version()}"
        return {"hello": 1, "adapter": adapter, "features": ["retention"], "subjects": subjects}

    def answer(self, message):
        if "notice" in message:
            case = self.cases.get(message.get("case"))
            if case is not None:
                case.release(message.get("subscription"))
            return None
        call, number = message["call"], message.get("case")
        if call == "open":
            return self.open(number, message)
        if call == "end":
            case = self.cases.pop(number, None)
            if case is not None:
                case.over = True
            return None
        case = self.cases.get(number)
        return None if case is None else case.answer(message)

    def open(self, number, message):
        name = message["subject"]
        factory = next(f for n, f in self.factories.items() if n.rpartition(":")[2] == name)
        declared = getattr(factory, "tck", {})
        if message.get("fail"):
            if "failing" not in declared:
                return {"none": True}
            made = declared["failing"]()
        elif declared.get("role") == "subscriber":
            made = factory()
        else:
            made = factory(message.get("items"))
        if hasattr(made, "__aiter__"):
            if "subscribers" in message:
                # An iterator is one reader's.
                return {"none": True}
            made = FromAsyncIterator(self.loop, made)
        self.cases[number] = Case(number, self.wire, made)
        return None

    def beat(self):
        while True:
            self.wire.write({"notice": "beat"})
            time.sleep(1)

    def run(self):
        sys.stdin.readline()
        self.wire.write(self.hello())
        threading.Thread(target=self.beat, daemon=True).start()
        self.wire.read(sys.stdin)


def find(name):
    """The factories of a name, `module:factory`, or `module` for all that declare what they make."""
    module, _, factory = name.partition(":")
    module = importlib.import_module(module)
    if factory:
        return {name: getattr(module, factory)}
    return {f"{name}:{k}": made for k, made in vars(module).items() if hasattr(made, "tck")}


def main():
    if len(sys.argv) < 2:
        sys.exit("name a factory: module:factory")
    # What the subjects print must not mix with the protocol.
    out, sys.stdout = sys.stdout, sys.stderr
    sys.path.insert(0, os.getcwd())
    Adapter(out, sys.argv[1:]).run()
    os._exit(0)


if __name__ == "__main__":
    main()
