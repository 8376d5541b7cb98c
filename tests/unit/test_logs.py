"""What log lines look like, and what never stands in them."""

import io
import json
import logging

import pytest

from appliance.observability.logs import redacted, request_id, start_logging


class Terminal(io.StringIO):
    """A stream that says that a person watches."""

    def isatty(self) -> bool:
        return True


def test_a_line_for_machines_is_one_json_object_with_its_fields() -> None:
    stream = io.StringIO()
    start_logging("info", stream)
    mark = request_id.set("r-1")
    logging.getLogger("appliance.shipping").info("shipped", extra={"slug": "abc", "seconds": 0.25})
    request_id.reset(mark)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "appliance.shipping",
        "message": "shipped",
        "request_id": "r-1",
        "slug": "abc",
        "seconds": 0.25,
    }


def test_a_trace_stays_inside_its_line() -> None:
    stream = io.StringIO()
    start_logging("info", stream)
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("appliance.jobs").exception("a job failed")
    (line,) = stream.getvalue().splitlines()
    assert "KeyError" in json.loads(line)["exception"]


def test_a_line_for_a_person_is_short() -> None:
    stream = Terminal()
    start_logging("info", stream)
    logging.getLogger("appliance.shipping").warning("the store is away", extra={"waiting": 7})
    assert stream.getvalue()[8:] == " warning shipping: the store is away waiting=7\n"


def test_lines_below_the_level_and_chatter_of_libraries_are_left_out() -> None:
    stream = io.StringIO()
    start_logging("info", stream)
    logging.getLogger("appliance.app").debug("detail")
    logging.getLogger("apscheduler").info("chatter")
    logging.getLogger("aiohttp.access").info("GET /i/abc?token=1")
    assert stream.getvalue() == ""
    start_logging("debug", stream)
    logging.getLogger("appliance.app").debug("detail")
    assert "detail" in stream.getvalue()


def test_a_second_start_does_not_write_lines_twice() -> None:
    stream = io.StringIO()
    start_logging("info", stream)
    start_logging("info", stream)
    logging.getLogger("appliance.app").info("once")
    assert stream.getvalue().count("once") == 1


@pytest.mark.parametrize(
    "text",
    [
        "GET /i/abc/manage?token=S3CRET&x=1",
        "Authorization: Bearer S3CRET",
        "{'delete_token': 'S3CRET'}",
        "secret_key=S3CRET",
        "password: S3CRET",
        "https://store/images?X-Amz-Signature=S3CRET",
    ],
)
def test_secrets_never_reach_a_line(text: str) -> None:
    assert "S3CRET" not in redacted(text)
    for stream in (io.StringIO(), Terminal()):
        start_logging("info", stream)
        logging.getLogger("appliance.http").warning("odd: %s", text, extra={"about": text})
        assert "S3CRET" not in stream.getvalue()


def test_plain_words_pass_unchanged() -> None:
    text = "Is the store away? 3 of 7 tries failed for /i/abc; a token was missing"
    assert redacted(text) == text


def test_a_stranger_begins_no_line_and_steers_no_terminal() -> None:
    stream = Terminal()
    start_logging("info", stream)
    logging.getLogger("appliance.access").warning("GET %s", "/\n12:00:00 error forged\x1b[2J\x9b1m")
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
