"""The account of a load distinguishes requests that were refused, cut off, or failed for another reason."""

import pytest

from tests.deploy.load import Account


@pytest.mark.parametrize(
    ("kind", "fault", "refused", "cut"),
    [
        ("upload", "503 catalogue-unavailable", 1, 0),
        ("view", "/i/0123456789abcdefg/original 503", 1, 0),
        ("upload", "502 None", 0, 1),
        ("view", "/i/0123456789abcdefg 502", 0, 0),
        ("view", "/i/0123456789abcdefg 404", 0, 0),
        ("view", "/i/0123456789abcdefg ClientPayloadError('503 of 1000 bytes')", 0, 1),
        ("upload", "ServerDisconnectedError('Server disconnected')", 0, 1),
    ],
)
def test_a_failed_request_counts_as_refused_or_cut_by_how_it_ended(
    kind: str, fault: str, refused: int, cut: int
) -> None:
    account = Account(clients=6)
    account.note(kind, 0.1, fault)
    account.note(kind, 0.1, None)
    assert (account.sent, account.failed, account.refused, account.cut) == (2, 1, refused, cut)
