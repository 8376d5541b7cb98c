"""Content-Digest: content with another digest than its client says is refused before anything is promised."""

import base64
import hashlib
import os

import pytest
from aiohttp import ClientResponse, FormData, MultipartWriter

from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.tus_client import Tus, checksum

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALGORITHMS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def digest(content: bytes, *algorithms: str) -> dict[str, str]:
    members = (
        f"{name}=:{base64.b64encode(ALGORITHMS[name](content).digest()).decode()}:" for name in algorithms or ALGORITHMS
    )
    return {"Content-Digest": ", ".join(members)}


async def form_of(*files: bytes, epilogue: bytes = b"") -> tuple[bytes, dict[str, str]]:
    """The bytes of a form and its Content-Type."""
    with MultipartWriter("form-data", boundary="boundary") as writer:
        for file in files:
            part = writer.append(file, {"Content-Type": "image/jpeg"})
            part.set_content_disposition("form-data", name="file", filename="cat.jpg")
        writer.append("Katze").set_content_disposition("form-data", name="title")
    return await writer.as_bytes() + epilogue, {"Content-Type": "multipart/form-data; boundary=boundary"}


@pytest.mark.parametrize("algorithms", [("sha-256",), ("sha-512",), ("sha-256", "sha-512")])
async def test_content_with_the_right_digest_is_stored(shared: Host, jpeg: bytes, algorithms: tuple[str, ...]) -> None:
    assert (await shared.client.post("/api/v1/images", data=jpeg, headers=digest(jpeg, *algorithms))).status == 201
    assert (await shared.client.put("/cat.jpg", data=jpeg, headers=digest(jpeg, *algorithms))).status == 201
    text = b"source=" + base64.b64encode(pictures.png(9, 9)).replace(b"+", b"%2B")
    headers = digest(text, *algorithms) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await shared.client.post("/api/1/upload", data=text, headers=headers)).status == 200


@pytest.mark.parametrize("wrong", ["sha-256", "sha-512"])
async def test_content_with_another_digest_is_refused_and_nothing_is_left(
    shared: Host, jpeg: bytes, wrong: str
) -> None:
    before, headers = shared.files("spool"), digest(jpeg) | digest(jpeg + b"x", wrong)
    await problem(await shared.client.post("/api/v1/images", data=jpeg, headers=headers), "digest-mismatch")
    assert (await shared.client.put("/cat.jpg", data=jpeg, headers=headers)).status == 400
    reply = await shared.client.post("/api/1/upload", data=jpeg, headers=headers)
    assert (await reply.json())["error"]["context"] == "digest-mismatch"
    assert shared.files("spool") == before


@pytest.mark.parametrize("epilogue", [b"", b"\r\n", b"and an epilogue"])
@pytest.mark.parametrize("trailing", [0, 1, 300_000])
async def test_the_digest_of_a_form_covers_all_of_its_bytes(
    shared: Host, jpeg: bytes, epilogue: bytes, trailing: int
) -> None:
    noise = os.urandom(trailing).replace(b"\r", b"\n--boundar")  # almost boundaries, which the reader puts back
    body, headers = await form_of(jpeg + noise, epilogue=epilogue)
    reply = await shared.client.post("/api/v1/images", data=body, headers=headers | digest(body))
    assert (reply.status, (await reply.json()).get("title")) == (201, "Katze"), await reply.text()
    before = shared.files("spool")
    changed = body.replace(b"Katze", b"Hunde")
    for sent, told in ((changed, body), (body, body + b"x"), (body, jpeg)):
        reply = await shared.client.post("/api/v1/images", data=sent, headers=headers | digest(told))
        await problem(reply, "digest-mismatch")
    assert shared.files("spool") == before


async def test_no_file_of_a_form_with_another_digest_is_kept(shared: Host, jpeg: bytes) -> None:
    before = shared.files("spool")
    body, headers = await form_of(jpeg, pictures.png(9, 9))
    reply = await shared.client.post("/", data=body, headers=headers | digest(body + b"x"))
    assert (reply.status, (await reply.text()).startswith("The digest doesn't match. ")) == (400, True)
    assert shared.files("spool") == before
    assert (await shared.client.post("/", data=body, headers=headers | digest(body))).status == 201


@pytest.mark.parametrize("sent", ["sha-512", "sha-256"])
async def test_resumable_uploads_compare_each_request(shared: Host, jpeg: bytes, sent: str) -> None:
    tus = Tus(shared)

    async def patched(where: str, offset: int, data: bytes, told: bytes) -> ClientResponse:
        return await tus.patch(where, offset, data, digest(told, sent))

    where = await tus.create(len(jpeg))
    await problem(await patched(where, 0, jpeg[:1000], jpeg[:999]), "checksum-mismatch")
    assert await tus.offset(where) == 0
    assert (await patched(where, 0, jpeg[:1000], jpeg[:1000])).status == 204
    assert (await patched(where, 1000, jpeg[1000:], jpeg[1000:])).status == 204
    assert (await tus.state(where))["image"]["sha256"] == hashlib.sha256(jpeg).hexdigest()
    await problem(await tus.post(len(jpeg), jpeg, digest(b"another", sent)), "checksum-mismatch")


@pytest.mark.parametrize("wrong", ["sha1", "sha-256", "sha-512"])
async def test_resumable_uploads_compare_every_checksum_of_a_request(shared: Host, jpeg: bytes, wrong: str) -> None:
    tus = Tus(shared)

    def checksums(wrong: str | None) -> dict[str, str]:
        told = {name: b"another" if name == wrong else jpeg for name in ("sha1", *ALGORITHMS)}
        members = (digest(told[name], name)["Content-Digest"] for name in ALGORITHMS)
        return {"Content-Digest": ", ".join(members)} | checksum("sha1", hashlib.sha1(told["sha1"]).digest())

    where = await tus.create(len(jpeg))
    await problem(await tus.patch(where, 0, jpeg, checksums(wrong)), "checksum-mismatch")
    assert await tus.offset(where) == 0
    assert (await tus.patch(where, 0, jpeg, checksums(None))).status == 204


@pytest.mark.parametrize(
    "value", ["md5=:kAFQmDzST7DWlj99KOF/cg==:", "unixsum=:AAA=:", "", ",", "crc32c=:AAAAAA==:;x=1"]
)
async def test_digests_that_are_not_known_are_ignored(shared: Host, jpeg: bytes, value: str) -> None:
    reply = await shared.client.post("/api/v1/images", data=jpeg, headers={"Content-Digest": value})
    assert reply.status == 201


@pytest.mark.parametrize("value", ["sha-256", "sha-256=abc", "sha-256=:abc:", "sha-256=:AAAA:", "x" * 3000, "A=:AA==:"])
async def test_a_digest_that_cannot_be_read_is_refused(shared: Host, jpeg: bytes, value: str) -> None:
    reply = await shared.client.post("/api/v1/images", data=jpeg, headers={"Content-Digest": value})
    await problem(reply, "malformed-request")
    form = FormData()
    form.add_field("file", jpeg, filename="cat.jpg")
    reply = await shared.client.post("/api/v1/images", data=form, headers={"Content-Digest": value})
    await problem(reply, "malformed-request")
