"""The scripts that define the messages of other scripts, in each language.

There is one with all of them, for every page, and for the pages that most people see one with what their scripts say.
Messages are written in English, so the English one has only texts of problems whose details are for programmers, and of
limits, whose details say when to continue as it was when they were sent.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from appliance.domain.errors import ApplianceError
from appliance.http.localization.languages import ENGLISH, Language

OWN = ("upload", "share")
"""The scripts whose pages have messages of their own."""
_FOREIGN = re.compile("[^\x00-\x7f]")
_CHUNK = re.compile(r'"\./(chunk-\w+\.js)"')


def messages_name(tag: str, script: str | None = None) -> str:
    """The name of the static file with the messages in a language: of one of the scripts in `OWN`, or of all."""
    return f"{script or 'messages'}.{tag}.js"


def message_scripts(built: Path, languages: Sequence[Language]) -> dict[str, bytes]:
    """By name, for the scripts in the folder `built`."""
    others = [each for each in languages if each.script_messages]
    scripts = {messages_name(each.tag): each.script for each in others} | {messages_name(ENGLISH.tag): _english()}
    for name in OWN:
        code = _code(built, f"{name}.js")
        for each in others:
            said = {message: text for message, text in each.script_messages.items() if says(code, message)}
            scripts[messages_name(each.tag, name)] = replace(each, script_messages=said).script
    return scripts


def _english() -> bytes:
    problems = ENGLISH.limit_problems()
    for fault in ApplianceError.kinds():
        if fault.for_programmers and fault.texts:
            problems.setdefault(fault.code, fault.texts)  # the wider one comes first
    return f"globalThis.applianceProblems={json.dumps(problems)}".encode()


def says(code: str, message: str) -> bool:
    """Whether a built script contains the message, as esbuild writes it."""
    escaped = _FOREIGN.sub(_escaped, message)
    return escaped in code or escaped.replace('"', '\\"') in code


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02X}" if number < 0x100 else f"\\u{number:04X}"


def _code(built: Path, name: str) -> str:
    """The script, and all that it loads, at once or on demand."""
    found, waiting = dict[str, str](), [name]
    while waiting:
        each = waiting.pop()
        found[each] = (built / each).read_text()
        waiting += [chunk for chunk in _CHUNK.findall(found[each]) if chunk not in found]
    return "".join(found.values())
