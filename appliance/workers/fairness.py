"""Fairness: clients share slots by the seconds that their jobs use, however many jobs each of them has waiting.

This is start-time fair queueing (Goyal, Vin and Cheng, 1996) for jobs whose cost is known only when they have ended.
Each client has an account of the seconds that it used, and the client that used least is served next. The account of a
new client starts at `_level_s`, which is what a client that always had work would have used by now. So it is served
soon, and neither owes nor is owed anything for the time before it came.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.domain.clients import HOST, Clients
from appliance.domain.errors import ApplianceError
from appliance.domain.renditions import Priority

MAX_DEBTS = 10_000
"""How many clients are remembered that are gone, but used more than their share."""


class QueueTicket:
    """A place in a queue, for all clients that wait for the same work. `is_short` says that it takes little time."""

    def __init__(self, priority: Priority, clients: Clients, *, is_short: bool = False) -> None:
        self.priority = priority
        self.clients = clients
        self.is_short = is_short
        self.granted: asyncio.Future[Any] | None = None
        self.queue: FairQueue | None = None
        if not clients:
            clients.join(HOST)
        clients.follow(self._joined)

    @property
    def waits(self) -> bool:
        """Whether it has neither been granted nor refused."""
        return self.granted is not None and not self.granted.done()

    def leave(self) -> None:
        """Give the place up."""
        if self.queue is not None:
            self.queue.remove(self)

    def refuse(self, fault: ApplianceError) -> None:
        """Answer its owner with the fault, if it still waits."""
        if self.granted is not None and not self.granted.done():
            self.granted.set_exception(fault)

    def _joined(self, client: str) -> None:
        if self.queue is not None:
            self.queue.join(self, client)
            self.queue.joined()


@dataclass(slots=True, eq=False)
class SlotUse:
    """A client's use of a slot. Its seconds count until `FairQueue.end`."""

    queue: "FairQueue"
    client: str
    started_s: float


class _Account:
    """What a client has waiting and running, and the seconds that its jobs used."""

    def __init__(self, used_s: float) -> None:
        self.used_s = used_s
        self.turns = 0
        self.running = 0
        self.started_s = 0.0
        """The sum of the times at which the running jobs began."""
        self.tickets: OrderedDict[QueueTicket, None] = OrderedDict()

    def due(self, now_s: float) -> float:
        """The seconds used, including those of running jobs."""
        return self.used_s + self.running * now_s - self.started_s


class FairQueue:
    """Tickets of one priority. The client that used least time is served next, with its oldest ticket.

    `joined` is called when another client joins a ticket that waits.
    """

    def __init__(self, clock: Callable[[], float], joined: Callable[[], None]) -> None:
        self.joined = joined
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._debts: OrderedDict[str, float] = OrderedDict()
        self._level_s = 0.0
        self._waiting = 0

    def __len__(self) -> int:
        """How many tickets wait."""
        return self._waiting

    @property
    def remembered(self) -> int:
        """How many clients have an account or a debt."""
        return len(self._accounts) + len(self._debts)

    def add(self, ticket: QueueTicket) -> None:
        """Let the ticket wait, in the name of each of its clients."""
        ticket.queue = self
        self._waiting += 1
        for client in ticket.clients:
            self.join(ticket, client)

    def join(self, ticket: QueueTicket, client: str) -> None:
        """Let a waiting ticket wait in the name of this client too."""
        self._account(client).tickets[ticket] = None

    def remove(self, ticket: QueueTicket) -> None:
        """Take the ticket out. Repeating it is fine."""
        if ticket.queue is not self:
            return
        ticket.queue = None
        self._waiting -= 1
        for client in ticket.clients:
            account = self._accounts[client]
            del account.tickets[ticket]
            self._close_if_idle(client, account)

    def clear(self) -> tuple[QueueTicket, ...]:
        """Take out all tickets."""
        tickets = dict.fromkeys(ticket for account in self._accounts.values() for ticket in account.tickets)
        for ticket in tickets:
            self.remove(ticket)
        return tuple(tickets)

    def next(self, *, idle: bool = False, short: bool = False) -> "tuple[QueueTicket, SlotUse] | None":
        """Take out the ticket whose turn it is, and start its job; None when nothing waits.

        With `idle`, only clients without a running job count. With `short`, None unless its job is a short one.
        """
        while (client := self._next_client(idle)) is not None:
            ticket = next(iter(self._accounts[client].tickets))
            if not ticket.waits:  # its owner was cancelled, and has not left yet
                self.remove(ticket)
                continue
            if short and not ticket.is_short:
                return None
            job = self.start(client)
            self.remove(ticket)
            return ticket, job
        return None

    def _next_client(self, idle: bool) -> str | None:
        now_s = self._clock()
        waiting = [
            (account.due(now_s), account.turns, client)
            for client, account in self._accounts.items()
            if account.tickets and not (idle and account.running)
        ]
        if not waiting:
            return None
        due_s, _, client = min(waiting, key=lambda each: each[:2])  # of equals the one who came first
        if not idle:
            self._level_s = max(self._level_s, due_s)
        return client

    def start(self, client: str) -> "SlotUse":
        """Start a job of the client's."""
        account, now_s = self._account(client), self._clock()
        account.turns += 1
        account.running += 1
        account.started_s += now_s
        return SlotUse(self, client, now_s)

    def restart(self, job: "SlotUse") -> None:
        """Count a job's seconds from now on."""
        account, now_s = self._accounts[job.client], self._clock()
        account.started_s += now_s - job.started_s
        job.started_s = now_s

    def end(self, job: "SlotUse") -> float:
        """End a job; the seconds that it used."""
        account, used_s = self._accounts[job.client], self._clock() - job.started_s
        self._level_s += used_s / len(self._accounts)
        account.running -= 1
        account.started_s -= job.started_s
        account.used_s += used_s
        self._close_if_idle(job.client, account)
        return used_s

    def displaced_by(self, clients: Clients) -> QueueTicket | None:
        """The ticket that makes room for these clients: the newest one of the client that has by far the most.

        A ticket that several clients share makes room only if each of them has more than one ticket more than these.
        None when there is no such ticket.
        """
        enough = 1 + min(map(self._tickets_of, clients))
        crowds = (account.tickets for account in self._accounts.values() if len(account.tickets) > enough)
        for tickets in sorted(crowds, key=len, reverse=True):
            for ticket in reversed(tickets):
                if all(self._tickets_of(client) > enough for client in ticket.clients):
                    return ticket
        return None

    @property
    def turns_waiting(self) -> int:
        """How many jobs come before a new client's: the oldest ticket of each client, one that is shared once."""
        return len({next(iter(account.tickets)) for account in self._accounts.values() if account.tickets})

    def has_waiting(self, clients: Clients) -> bool:
        """Whether each of these clients has a ticket that waits."""
        return all(map(self._tickets_of, clients))

    def idle_client(self, clients: Clients) -> str | None:
        """One of these clients that has no running job; None when each has one."""
        return next((each for each in clients if each not in self._accounts or not self._accounts[each].running), None)

    def _tickets_of(self, client: str) -> int:
        account = self._accounts.get(client)
        return 0 if account is None else len(account.tickets)

    def _account(self, client: str) -> _Account:
        account = self._accounts.get(client)
        if account is None:
            debt_s = self._debts.pop(client, 0.0)
            account = self._accounts[client] = _Account(max(self._level_s, debt_s))
        return account

    def _close_if_idle(self, client: str, account: _Account) -> None:
        """Close the account of a client without tickets and jobs. Only a debt is remembered."""
        if account.tickets or account.running:
            return
        del self._accounts[client]
        if account.used_s > self._level_s:
            self._debts[client] = account.used_s
            if len(self._debts) > MAX_DEBTS:
                self._debts.popitem(last=False)
        if not self._accounts:
            self._debts.clear()
            self._level_s = 0.0
