"""Tickets: permission to keep what is rendered of an image, revoked when the image ends meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager


class Ticket:
    """Permission to admit what is rendered of one image. `evict` revokes it for work in progress."""

    __slots__ = ("revoked", "slug")

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.revoked = False


class Tickets:
    """The tickets that are out, by slug. Those of a barred slug are void from the start."""

    def __init__(self) -> None:
        self._open: dict[str, set[Ticket]] = {}
        self._barred: set[str] = set()

    def __len__(self) -> int:
        """How many images something is being rendered of."""
        return len(self._open)

    def begin(self, slug: str) -> Ticket:
        ticket = Ticket(slug)
        ticket.revoked = slug in self._barred
        self._open.setdefault(slug, set()).add(ticket)
        return ticket

    def end(self, ticket: Ticket) -> None:
        tickets = self._open.get(ticket.slug)
        if tickets is not None:
            tickets.discard(ticket)
            if not tickets:
                del self._open[ticket.slug]

    @contextmanager
    def barred(self, slug: str) -> Iterator[None]:
        """Issue only void tickets for the image inside the block."""
        self._barred.add(slug)
        try:
            yield
        finally:
            self._barred.discard(slug)

    def revoke(self, slug: str) -> None:
        for ticket in self._open.get(slug, ()):
            ticket.revoked = True
