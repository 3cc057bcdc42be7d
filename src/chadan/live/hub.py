"""Who is listening, and what each is told. One event loop, no locks."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence

from chadan.eventlog.reading import Change
from chadan.live.topics import Topic, Visitor, topics_of
from chadan.orders import number

QUEUE = 32
"""Frames a client may be behind; one that is slower is told to look at everything anew."""
MOST_STREAMS = 2_000
MOST_PER_SESSION = 40
NEW_WITHIN = 600
"""Seconds after its placement in which an order counts as new: its number says when that was."""


def frame(event: str, data: object, position: int) -> bytes:
    """One event of a stream."""
    return f"id: {position}\nevent: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def told(numbers: Iterable[int]) -> dict[str, object]:
    """What a page is told of changed orders: their numbers as strings, and how many are new."""
    ordered = sorted(set(numbers))
    newest = number.floor(number.now()) - NEW_WITHIN * 10**8
    return {"orders": [number.text(value) for value in ordered], "new": sum(value >= newest for value in ordered)}


class Client:
    """One open stream."""

    __slots__ = ("frames", "gone", "visitor", "waiting")

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.frames: deque[bytes] = deque()
        self.gone = False
        self.waiting: asyncio.Future[None] | None = None

    def put(self, data: bytes, position: int) -> None:
        """Queues a frame; a full queue becomes the one word that replaces everything in it."""
        if len(self.frames) >= QUEUE:
            self.frames.clear()
            data = frame("resync", {}, position)
        self.frames.append(data)
        self.wake()

    def wake(self) -> None:
        """Lets the stream look at its queue."""
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(None)

    def leave(self) -> None:
        """Ends the stream."""
        self.gone = True
        self.wake()

    async def take(self) -> bytes:
        """Everything queued, waiting for something; b"" when the stream is to end."""
        while not self.frames and not self.gone:
            self.waiting = asyncio.get_running_loop().create_future()
            await self.waiting
            self.waiting = None
        if self.gone:
            return b""
        data = b"".join(self.frames)
        self.frames.clear()
        return data


class Hub:
    """The open streams by topic. `position` is how far they have been told."""

    def __init__(self) -> None:
        self.position = 0
        self._by_topic: defaultdict[Topic, set[Client]] = defaultdict(set)
        self._sessions: Counter[str] = Counter()
        self._clients: set[Client] = set()
        self._stale: set[Topic] = set()

    def __len__(self) -> int:
        return len(self._clients)

    def full(self, visitor: Visitor) -> bool:
        """Whether one more stream is too many, for the process or for this session."""
        return len(self._clients) >= MOST_STREAMS or self._sessions[visitor.session] >= MOST_PER_SESSION

    def join(self, visitor: Visitor) -> Client:
        """A new stream, told of everything from now on."""
        client = Client(visitor)
        self._clients.add(client)
        self._sessions[visitor.session] += 1
        for topic in visitor.topics:
            self._by_topic[topic].add(client)
        return client

    def part(self, client: Client) -> None:
        """The stream is over."""
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._sessions[client.visitor.session] -= 1
        if not self._sessions[client.visitor.session]:
            del self._sessions[client.visitor.session]
        for topic in client.visitor.topics:
            self._by_topic[topic].discard(client)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    def tell(self, changes: Sequence[Change], head: int) -> None:
        """Tells every stream of the orders it may see; streams that are told the same share the bytes."""
        self.position = head
        numbers: defaultdict[Topic, set[int]] = defaultdict(set)
        for change in changes:
            for topic in topics_of(change):
                if topic in self._by_topic:
                    numbers[topic].add(change.order_no)
        made: dict[frozenset[Topic], bytes] = {}
        for client in {client for topic in numbers for client in self._by_topic[topic]}:
            mine = client.visitor.topics.intersection(numbers)
            if mine not in made:
                made[mine] = frame("orders", told(value for topic in mine for value in numbers[topic]), head)
            client.put(made[mine], head)

    def mark(self, merchants: Iterable[int], head: int) -> None:
        """History of these merchants was sequenced: too much to name order by order, told with the next `beat`."""
        self.position = head
        self._stale.update(Topic("merchant", merchant) for merchant in merchants)
        self._stale.add(Topic("operator"))

    def resync(self, head: int) -> None:
        """Tells everybody to look at everything anew."""
        self.position = head
        for client in self._clients:
            client.put(frame("resync", {}, head), head)

    def beat(self) -> None:
        """The heartbeat: tells every stream the position it has reached, and whose history has changed."""
        beat, stale = frame("position", self.position, self.position), frame("resync", {}, self.position)
        for client in self._clients:
            client.put(stale if client.visitor.topics & self._stale else beat, self.position)
        self._stale.clear()

    def close(self) -> None:
        """Ends every stream."""
        for client in self._clients:
            client.leave()
