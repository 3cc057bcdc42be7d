"""Callbacks: sent by threads, repeated on a schedule until the shop takes them, spoilt where a fault says so."""

from __future__ import annotations

import heapq
import http.client
import ipaddress
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from chadan.sandbox.faults import FaultKind, Faults
from chadan.sandbox.gateway.peer import Peer, Twist
from chadan.sandbox.payments import Payment, Payments, now
from chadan.sandbox.wire import Outgoing

SCHEDULE = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds before each try: the gateways' minutes and hours, compressed."""
ANSWER_SECONDS = 10.0


@dataclass(order=True, slots=True)
class Job:
    """One try to come."""

    due: float
    payment: Payment = field(compare=False)
    twist: Twist = field(compare=False)
    attempt: int = field(compare=False, default=0)


class Notifier:
    """Sends what payments have to tell."""

    def __init__(
        self, peers: Mapping[str, Peer], payments: Payments, faults: Faults, schedule: Sequence[float] = SCHEDULE
    ) -> None:
        self._peers = peers
        self._payments = payments
        self._faults = faults
        self._schedule = schedule
        self._jobs: list[Job] = []
        self._held: list[Job] = []
        self._sending = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="callback")
        self._thread = threading.Thread(target=self._run, name="callbacks", daemon=True)
        self._thread.start()

    def tell(self, payment: Payment, *, paid: bool = False) -> None:
        """Queues the payment's callback; with `paid` it says paid whatever is true."""
        delay = self._faults.hit(FaultKind.DELAY, payment.protocol, payment.out_no)
        due = time.monotonic() + self._schedule[0] + (delay.value if delay else 0.0)
        job = Job(due, payment, Twist(paid=paid))
        if self._strikes(FaultKind.REORDER, payment):
            with self._changed:
                self._held.append(job)
        else:
            self._queue(job)

    def tell_now(self, payment: Payment) -> None:
        """Sends the callback and waits for the answer; what fails is repeated as usual."""
        self._attempt(Job(time.monotonic(), payment, Twist()))

    def waiting(self) -> int:
        """Callbacks queued, held back or under way."""
        with self._changed:
            return len(self._jobs) + len(self._held) + self._sending

    def stop(self) -> None:
        """Ends the threads; what is queued is not sent."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _queue(self, job: Job) -> None:
        with self._changed:
            heapq.heappush(self._jobs, job)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and (not self._jobs or self._jobs[0].due > time.monotonic()):
                    self._changed.wait(self._jobs[0].due - time.monotonic() if self._jobs else None)
                if self._stopped:
                    return
                job = heapq.heappop(self._jobs)
                self._sending += 1
            self._pool.submit(self._work, job)

    def _work(self, job: Job) -> None:
        try:
            self._attempt(job)
        finally:
            with self._changed:
                self._sending -= 1

    def _attempt(self, job: Job) -> None:
        """One try, with its faults; a refused one is queued again."""
        payment = job.payment
        if self._strikes(FaultKind.DROP, payment):
            self._record(payment, 0, b"dropped", taken=False)
            taken = False
        else:
            taken = self._send(payment, self._twisted(payment, job.twist))
        self._release_others(payment)
        if not taken and job.attempt + 1 < len(self._schedule):
            self._queue(replace(job, due=time.monotonic() + self._schedule[job.attempt + 1], attempt=job.attempt + 1))

    def _strikes(self, kind: FaultKind, payment: Payment) -> bool:
        return self._faults.hit(kind, payment.protocol, payment.out_no) is not None

    def _twisted(self, payment: Payment, twist: Twist) -> Twist:
        hit = self._faults.hit
        if price := hit(FaultKind.MISPRICE, payment.protocol, payment.out_no):
            twist = replace(twist, amount=int(price.value))
        if hit(FaultKind.WRONG_SELLER, payment.protocol, payment.out_no):
            twist = replace(twist, payee="9999999999")
        if hit(FaultKind.FORGE, payment.protocol, payment.out_no):
            twist = replace(twist, forged=True)
        if stale := hit(FaultKind.STALE, payment.protocol, payment.out_no):
            twist = replace(twist, seconds_ago=stale.value)
        return twist

    def _send(self, payment: Payment, twist: Twist) -> bool:
        """Sends it, more than once at a time if a fault says so; True when every copy was taken."""
        copies = self._faults.hit(FaultKind.DUPLICATE, payment.protocol, payment.out_no)
        count = max(int(copies.value), 1) if copies else 1
        if count == 1:
            return self._send_one(payment, twist)
        with ThreadPoolExecutor(count) as pool:
            return all([*pool.map(lambda _: self._send_one(payment, twist), range(count))])

    def _send_one(self, payment: Payment, twist: Twist) -> bool:
        peer = self._peers[payment.protocol]
        status, answer = deliver(peer.callback(payment, twist))
        taken = peer.taken(status, answer)
        self._record(payment, status, answer, taken=taken)
        return taken

    def _record(self, payment: Payment, status: int, answer: bytes, *, taken: bool) -> None:
        with self._payments.change(payment):
            payment.told.append(
                {
                    "at": now().isoformat(timespec="milliseconds"),
                    "status": status,
                    "answer": answer[:200].decode(errors="replace"),
                    "taken": taken,
                }
            )

    def _release_others(self, payment: Payment) -> None:
        with self._changed:
            free = [job for job in self._held if job.payment is not payment]
            self._held = [job for job in self._held if job.payment is payment]
            for job in free:
                heapq.heappush(self._jobs, job)
            self._changed.notify_all()


def deliver(outgoing: Outgoing) -> tuple[int, bytes]:
    """Sends one callback. Returns status and body; (0, reason) when nobody answered. Only this machine is called."""
    parts = urlsplit(outgoing.url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not (host == "localhost" or _loopback(host)):
        return 0, b"the sandbox calls http addresses of this machine only"
    connection = http.client.HTTPConnection(host, parts.port or 80, timeout=ANSWER_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(outgoing.method, target, outgoing.body or None, dict(outgoing.headers))
        answer = connection.getresponse()
        return answer.status, answer.read(65536)
    except (OSError, http.client.HTTPException) as error:
        return 0, type(error).__name__.encode()
    finally:
        connection.close()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
