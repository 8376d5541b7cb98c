"""A request that brings a part of a file is refused: a part must never be stored as if it were the whole."""

import pytest
from aiohttp import FormData

from tests.support.host import Host, problem
from tests.support.tus_client import Tus

pytestmark = pytest.mark.asyncio(loop_scope="module")


def form(data: bytes, **fields: str) -> FormData:
    body = FormData()
    for name, value in fields.items():
        body.add_field(name, value)
    body.add_field("file", data, filename="cat.jpg")
    return body


@pytest.mark.parametrize(
    "value", ["bytes 0-99/1000", "bytes 100-999/1000", "bytes 0-99/*", "bytes */1000", "items 0-9/10", ""]
)
async def test_a_part_is_refused_whichever_way_it_comes(shared: Host, jpeg: bytes, value: str) -> None:
    headers = {"Content-Range": value}
    before = shared.files("spool")
    await problem(await shared.client.post("/api/v1/images", data=jpeg, headers=headers), "partial-upload")
    told = await problem(await shared.client.post("/api/v1/images", data=form(jpeg), headers=headers), "partial-upload")
    assert "/api/v1/uploads" in told["detail"]
    put = await shared.client.put("/cat.jpg", data=jpeg, headers=headers)
    assert (put.status, (await put.text()).startswith("Only a part of the file was sent. ")) == (400, True)
    reply = await shared.client.post("/api/1/upload", data=form(jpeg), headers=headers)
    assert (await reply.json())["error"]["context"] == "partial-upload"
    assert shared.files("spool") == before


async def test_a_part_is_refused_at_the_creation_of_a_resumable_upload(shared: Host, jpeg: bytes) -> None:
    await problem(await Tus(shared).post(len(jpeg), jpeg, {"Content-Range": "bytes 0-9/1000"}), "partial-upload")


async def test_a_range_of_the_whole_file_is_no_part(shared: Host, jpeg: bytes) -> None:
    headers = {"Content-Range": f"bytes 0-{len(jpeg) - 1}/{len(jpeg)}"}
    for body in (jpeg, form(jpeg)):
        reply = await shared.client.post("/api/v1/images", data=body, headers=headers)
        assert (reply.status, (await reply.json())["bytes"]) == (201, len(jpeg))


@pytest.mark.parametrize(
    "field", ["dztotalchunkcount", "resumableTotalChunks", "flowTotalChunks", "chunks", "qqtotalparts"]
)
async def test_chunks_that_an_uploader_numbers_in_fields_are_refused(shared: Host, jpeg: bytes, field: str) -> None:
    before = shared.files("spool")
    for reply in (
        await shared.post(jpeg, **{field: "3"}),
        await shared.client.post("/api/v1/images", data=form(jpeg, **{field: "3"})),
    ):
        await problem(reply, "partial-upload")
    assert (await shared.post(jpeg, **{field: "1"})).status == 201
    await problem(await shared.post(jpeg, **{field: "2"}), "partial-upload")
    assert len(shared.files("spool")) <= len(before) + 1
