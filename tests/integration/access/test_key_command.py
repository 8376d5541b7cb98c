"""`appliance key`, with a server and without one: what it printed holds, whatever happens next."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.commands.store_notice import NOT_IN_STORE
from tests.support.host import bearer
from tests.support.images import pictures
from tests.support.server_process import ServerProcess

KEY = re.compile(r"imgk_[0-9A-Za-z]{44}\n")


def added(served: ServerProcess, *arguments: str) -> str:
    """The text of a new or replaced key. The store knows of it, if the server runs."""
    done = served.command("key", *arguments)
    assert (NOT_IN_STORE in done.stderr) != served.is_running
    assert done.returncode == 0, done.stderr
    assert KEY.fullmatch(done.stdout)
    assert "not shown again" in done.stderr
    return done.stdout.strip()


async def uploaded(session: aiohttp.ClientSession, served: ServerProcess, key: str) -> str:
    """Empty for an accepted upload, else the error's code."""
    data = pictures.png(9, 9)
    async with session.post(f"{served.url}/api/v1/images", data=data, headers=bearer(key)) as reply:
        answer: dict[str, Any] = await reply.json()
        return "" if reply.status == 201 else str(answer["code"])


async def test_a_key_works_from_the_moment_it_is_printed_until_it_ends(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data", APPLIANCE_ACCESS_UPLOADS="key")
    before = added(served, "add", "before", "--max-file-bytes", "1 MB")
    try:
        await served.start()
        async with aiohttp.ClientSession() as session:
            assert await uploaded(session, served, before) == ""
            key = added(served, "add", "scanner", "--scope", "upload", "--expires", "30d", "--max-images", "5")
            served.kill()
            assert key not in served.words()
            await served.start()
            assert await uploaded(session, served, key) == ""
            rotated = added(served, "rotate", "scanner")
            assert rotated[:15] == key[:15]
            assert await uploaded(session, served, key) == "key-rotated"
            assert await uploaded(session, served, rotated) == ""
            revoked = served.command("key", "revoke", rotated[5:15])
            assert (revoked.returncode, revoked.stdout) == (0, "")
            assert await uploaded(session, served, rotated) == "key-revoked"
            assert await uploaded(session, served, key) == "key-revoked"
            served.kill()
            await served.start()
            assert await uploaded(session, served, rotated) == "key-revoked"
            assert await uploaded(session, served, key) == "key-revoked"
            assert await uploaded(session, served, before) == ""
        listed = json.loads(served.command("key", "list", "--json").stdout)
        assert [(each["name"], each["used"]["images"]) for each in listed] == [("before", 2), ("scanner", 2)]
        assert listed[0]["limits"]["max_file_bytes"] == 1_000_000
        assert listed[1]["scopes"] == ["upload"]
        assert "secret" not in str(listed)
        lines = served.command("key", "list").stdout.splitlines()
        assert lines[2].split()[:3] == ["scanner", rotated[5:15], "revoked"]
        assert "2 of 5" in lines[2]
        [record] = (served.data_dir / "store/objects/records/keys").glob(f"{key[5:15]}.json")
        assert json.loads(record.read_text())["revoked_s"] is not None
    finally:
        served.abandon()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("add", "scanner"), 1, "There is a key with the name “scanner” already"),
        (("add", " "), 1, "A key needs a name"),
        (("revoke", "nobody"), 1, "There is no access key 'nobody'"),
        (("rotate", "nobody"), 1, "There is no access key 'nobody'"),
        (("add", "x", "--max-file-bytes", "much"), 2, "expected a size"),
        (("add", "x", "--expires", "soon"), 2, "expected a number with a unit"),
        (("add", "x", "--scope", "everything"), 2, "invalid choice"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], status: int, words: str) -> None:
    served = ServerProcess(tmp_path / "data")
    added(served, "add", "scanner")
    done = served.command("key", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("far", "--expires", "99999999d"), "before the year 10000"),
        (("192.0.2.1",), "A key needs a name"),
        (("none", "--max-file-bytes", "0"), "expected 1 or more"),
        (("past", "--expires", "-3d"), "-3d would be over already; expected a time to come"),
        (("now", "--expires=0d"), "0d would be over already; expected a time to come"),
    ],
)
def test_a_key_that_nobody_can_mean_is_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    served = ServerProcess(tmp_path / "data")
    refused = served.command("key", "add", *arguments)
    assert (refused.returncode in (1, 2), refused.stdout) == (True, "")
    assert words in refused.stderr
