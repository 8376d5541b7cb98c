"""Expect: 100-continue: a client's body is asked for when it is first read, so a refusal comes before the bytes.

aiohttp would ask for it before any middleware. So the head of such a request takes the same way as any other's: it
waits for its turn, and is authenticated, counted and admitted once.
"""

from aiohttp import hdrs, web

AWAITS_CONTINUE = web.RequestKey("awaits_continue", bool)


async def ask_later(request: web.Request) -> None:
    """The `expect_handler` of a route whose handler reads its body by `connections.open_body`."""
    request[AWAITS_CONTINUE] = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"


def ask_for_body(request: web.Request) -> None:
    """Ask for the body, once, if the client waits for that."""
    if request.get(AWAITS_CONTINUE) and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request[AWAITS_CONTINUE] = False
