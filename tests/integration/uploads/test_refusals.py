"""Requests that can't be taken: each gets its own code, words, and leaves nothing behind."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import FormData

from tests.support.host import Host, problem
from tests.support.images import pictures

pytestmark = pytest.mark.asyncio(loop_scope="module")
PART = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
END = b"--b--\r\n"
IN_PARTS = {"Content-Type": "multipart/form-data; boundary=b"}


def file_part(data: bytes, name: bytes = b"file") -> bytes:
    return PART % (name, b'; filename="a.jpg"', data)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def nothing_is_left(shared: Host) -> AsyncIterator[None]:
    """After a refusal there is no byte of it in the spool, and no disk promised."""
    yield
    assert shared.files("spool/incoming") == []
    assert shared.files("spool/landed") == []
    assert shared.appliance.spool.room.promised_bytes == 0


async def refused(host: Host, body: bytes, code: str, **headers: str) -> dict[str, object]:
    named = IN_PARTS | {name.replace("_", "-"): value for name, value in headers.items()}
    return await problem(await host.client.post("/api/v1/images", data=body, headers=named), code)


async def test_a_form_without_a_boundary(shared: Host, jpeg: bytes) -> None:
    await refused(shared, file_part(jpeg) + END, "malformed-request", Content_Type="multipart/form-data")


async def test_a_form_that_is_no_form(shared: Host) -> None:
    await refused(shared, b"not a single boundary in here\r\n" * 10, "malformed-request")


async def test_a_form_with_two_files(shared: Host, jpeg: bytes) -> None:
    await refused(shared, file_part(jpeg) + file_part(jpeg) + END, "malformed-request")


async def test_a_form_with_forty_parts(shared: Host, jpeg: bytes) -> None:
    fields = b"".join(PART % (b"f%d" % number, b"", b"x") for number in range(40))
    await refused(shared, file_part(jpeg) + fields + END, "malformed-request")


async def test_a_form_with_a_huge_field(shared: Host, jpeg: bytes) -> None:
    told = await refused(shared, PART % (b"title", b"", b"x" * 100_000) + file_part(jpeg) + END, "invalid-field")
    assert told["limit"] == 16_384


async def test_a_form_inside_of_a_form(shared: Host, jpeg: bytes) -> None:
    inner = b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n"
    await refused(shared, inner + file_part(jpeg) + END, "malformed-request")


async def test_a_form_that_ends_in_the_middle_of_the_file(shared: Host, jpeg: bytes) -> None:
    response = await shared.client.post("/api/v1/images", data=file_part(jpeg)[:-500], headers=IN_PARTS)
    await problem(response, "malformed-request")


async def test_a_form_with_endless_part_headers(shared: Host) -> None:
    await refused(shared, b"--b\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n", "malformed-request")


async def test_a_field_that_is_not_utf_8(shared: Host, jpeg: bytes) -> None:
    await refused(shared, PART % (b"title", b"", b"\xff\xfe") + file_part(jpeg) + END, "malformed-request")


async def test_a_part_without_a_name_is_left_alone(shared: Host, jpeg: bytes) -> None:
    body = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b\r\n\r\nno header\r\n" + file_part(jpeg) + END
    response = await shared.client.post("/api/v1/images", data=body, headers=IN_PARTS)
    assert response.status == 201, await response.text()


async def test_a_form_without_a_file(shared: Host) -> None:
    told = await refused(shared, PART % (b"title", b"", b"x") + END, "missing-file")
    assert "“file”" in str(told["detail"])


async def test_a_form_whose_file_is_text(shared: Host) -> None:
    await refused(shared, PART % (b"file", b"", b"hello") + END, "missing-file")


async def test_a_form_whose_file_is_a_url(shared: Host) -> None:
    await refused(shared, PART % (b"file", b"", b" HTTPS://example.com/cat.jpg") + END, "remote-url-refused")


async def test_an_empty_form(shared: Host) -> None:
    await refused(shared, END, "missing-file")


async def test_a_file_without_bytes(shared: Host) -> None:
    await problem(await shared.post(b""), "empty-upload")


async def test_a_request_without_a_body(shared: Host) -> None:
    await problem(await shared.client.post("/api/v1/images"), "missing-file")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"just text, no picture", "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "unsupported-format"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "unsupported-format"),
        (pictures.png()[:30], "unreadable-image"),
    ],
)
async def test_what_is_no_picture(shared: Host, data: bytes, code: str) -> None:
    told = await problem(await shared.post(data, "cat.jpg"), code)
    if code == "unsupported-format":
        assert "JPEG" in str(told["detail"])  # it says what is taken instead


async def test_wishes_that_can_not_be_met_are_refused_before_the_file_is_read(shared: Host, jpeg: bytes) -> None:
    form = FormData()
    form.add_field("expires_in", "10000d")
    form.add_field("file", jpeg, filename="a.jpg")
    await problem(await shared.client.post("/api/v1/images", data=form), "invalid-expiry")
    await problem(await shared.client.post("/api/v1/images?expires_in=soon", data=b"never looked at"), "invalid-expiry")


async def test_refusals_are_counted_by_code(shared: Host) -> None:
    before = shared.counted("uploads_total", outcome="not-an-image")
    await shared.post(b"still no picture")
    assert shared.counted("uploads_total", outcome="not-an-image") == before + 1
