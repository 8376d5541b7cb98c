"""The table that the run prints: step, seconds, requests sent, failed, and what was seen."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.deploy.load import Account


@dataclass
class Step:
    """One line."""

    name: str
    seconds: float = 0.0
    account: Account | None = None
    may_fail: bool = False
    note: str = ""
    fault: str = ""

    def under(self, account: Account, *, may_fail: bool = False) -> None:
        """The load that ran beside it. `may_fail` where something is broken on purpose that takes requests with it."""
        self.account, self.may_fail = account, may_fail


@dataclass
class Table:
    """Every step so far, and how it ended. Its name tells it from one that is filled at the same time."""

    name: str
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Times the block. Failed requests, where none may fail, fail the step; so does whatever the block raises."""
        step = Step(name)
        self.steps.append(step)
        print(f"-- {self.name}: {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            yield step
            if step.account is not None and step.account.failed and not step.may_fail:
                words = "\n  ".join(step.account.words)
                raise AssertionError(f"{step.account.failed} of {step.account.sent} requests failed:\n  {words}")
        except BaseException as error:
            step.fault = f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = time.monotonic() - began
            print(f"   {self.name}: {name}: {step.seconds:.1f} s {step.note}", file=sys.stderr, flush=True)

    def __str__(self) -> str:
        width = max(len(step.name) for step in self.steps)
        lines = [f"{self.name}\n{'step':<{width}}  {'seconds':>7}  {'sent':>6}  {'failed':>6}  seen"]
        for step in self.steps:
            sent, failed = ("", "") if step.account is None else (f"{step.account.sent}", f"{step.account.failed}")
            slow = f"slowest request {step.account.slowest_s:.1f} s" if step.account is not None else ""
            seen = "; ".join(part for part in (step.note, slow, "FAILED" if step.fault else "") if part)
            lines.append(f"{step.name:<{width}}  {step.seconds:7.1f}  {sent:>6}  {failed:>6}  {seen}")
        return "\n".join(lines)
