"""The account of a load tells requests that were refused from those that were lost."""

import pytest

from tests.deploy.load import Account


@pytest.mark.parametrize(
    ("kind", "fault", "refused"),
    [
        ("upload", "503 catalogue-unavailable", 1),
        ("view", "/i/0123456789abcdefg/original 503", 1),
        ("upload", "502 None", 0),
        ("view", "/i/0123456789abcdefg 404", 0),
        ("view", "/i/0123456789abcdefg ClientPayloadError('503 of 1000 bytes')", 0),
        ("upload", "ServerDisconnectedError('Server disconnected')", 0),
    ],
)
def test_only_what_was_answered_503_counts_as_refused(kind: str, fault: str, refused: int) -> None:
    account = Account(clients=6)
    account.note(kind, 0.1, fault)
    account.note(kind, 0.1, None)
    assert (account.sent, account.failed, account.refused) == (2, 1, refused)
