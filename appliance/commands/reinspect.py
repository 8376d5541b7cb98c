"""`appliance reinspect`: brings stored images up to today's rules, by the running server or, where none runs, alone."""

import argparse
import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Never

from tqdm import tqdm

from appliance.catalogue.opening import stored_catalogue
from appliance.config.model import Config
from appliance.domain.errors import ApplianceError, CommandFailed, ServerNotRunning
from appliance.reinspection.steps import MAX_IMAGES, Step, StepRequest, Verdict
from appliance.server.control import ask_reinspect, ask_status
from appliance.server.data_dir_lock import owned_data_dir
from appliance.shared.unix_peers import keep_orphans

DEFAULT_RATE, DEFAULT_EXAMPLES = 20.0, 10
LINE_EVERY = 1000
WORDS = {
    Verdict.CHANGED: ("changed", "would change"),
    Verdict.READY: ("now have sizes", "would have sizes"),
    Verdict.ORIGINAL_ONLY: ("are now original-only", "would become original-only"),
    Verdict.CLEANED: ("had metadata that was removed", "have metadata that would be removed"),
    Verdict.KEPT: ("left alone with `--clean`, because their metadata is to be kept",) * 2,
    Verdict.UNSHIPPED: ("not cleaned, because they aren't in the store yet",) * 2,
    Verdict.NOT_REMOVABLE: ("may still have metadata that can't be removed",) * 2,
    Verdict.UNREADABLE: ("would be refused today; left as they are",) * 2,
    Verdict.MISSING: ("have no original in the store",) * 2,
    Verdict.DIFFERENT: ("have an original with other bytes than their row says",) * 2,
    Verdict.FAILED: ("couldn't be examined; the log says why",) * 2,
}
UNDONE = (
    *(Verdict.UNSHIPPED, Verdict.NOT_REMOVABLE, Verdict.UNREADABLE),
    *(Verdict.MISSING, Verdict.DIFFERENT, Verdict.FAILED),
)
"""What was to be done for an image and could not be."""

TakeStep = Callable[[StepRequest], Awaitable[Step]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReinspectOptions:
    """`rate` is in images a second. `restart` begins with the first image, whatever an earlier run has done."""

    clean: bool = False
    dry_run: bool = False
    rate: float = DEFAULT_RATE
    examples: int = DEFAULT_EXAMPLES
    restart: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `appliance reinspect`."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    parser.add_argument(
        "--clean",
        action="store_true",
        help="also remove from originals the metadata that uploads lose today. Those whose uploader asked to keep it "
        "(`keep_metadata=true`), or of which that is unknown, are left alone",
    )
    parser.add_argument(
        "--rate", metavar="N", type=float, default=DEFAULT_RATE, help="look at N images a second at most (%(default)g)"
    )
    parser.add_argument(
        "--examples", metavar="N", type=int, default=DEFAULT_EXAMPLES, help="describe N changes at most (%(default)d)"
    )
    parser.add_argument(
        "--restart", action="store_true", help="begin with the first image, not where the last run stopped"
    )


def options_of(arguments: argparse.Namespace) -> ReinspectOptions:
    """What the command line asks for."""
    return ReinspectOptions(
        clean=arguments.clean,
        dry_run=arguments.dry_run,
        rate=arguments.rate,
        examples=arguments.examples,
        restart=arguments.restart,
    )


def reinspect(config: Config, options: ReinspectOptions) -> int:
    """Prints what changed; exit status 1 if something could not be done, and what that was.

    Raises CommandFailed, DataDirectoryLocked, UnfitInstallation, and whatever ends a step.
    """
    if not 0 < options.rate < math.inf:
        raise CommandFailed("`--rate` is a number of images a second, above 0.")
    if _is_server_running(config):
        return asyncio.run(_reinspect(config, options, lambda request: ask_reinspect(config, request)))
    with owned_data_dir(config):
        keep_orphans()
        return asyncio.run(_reinspect_alone(config, options))


def _is_server_running(config: Config) -> bool:
    try:
        asyncio.run(ask_status(config))
    except ServerNotRunning:
        return False
    return True


async def _reinspect_alone(config: Config, options: ReinspectOptions) -> int:
    from appliance.app import started  # noqa: PLC0415 - only here the whole server is needed

    async with started(config) as container:
        return await _reinspect(config, options, container.reinspector.step)


async def _reinspect(config: Config, options: ReinspectOptions, take_step: TakeStep) -> int:
    is_watched = sys.stderr.isatty()
    total = (await stored_catalogue(config).count_rows()).images if is_watched else None
    counts: Counter[str] = Counter()
    with tqdm(total=total, unit=" images", disable=not is_watched) as bar:
        async for step in steps(options, take_step):
            counts.update(step.counts)
            _show(bar, step)
    return summarize(step.looked_at, counts, dry_run=options.dry_run)


async def steps(
    options: ReinspectOptions,
    take_step: TakeStep,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Step]:
    """All steps to the last image, at most at the given rate. Raises what ends a step, and says how to continue."""
    request = StepRequest(
        after="" if options.restart else None,
        max_images=max(1, round(min(MAX_IMAGES, options.rate))),
        clean=options.clean,
        dry_run=options.dry_run,
        max_examples=max(0, options.examples),
    )
    while True:
        started_s = clock()
        try:
            step = await take_step(request)
        except ApplianceError as fault:
            raise CommandFailed(f"{fault.detail} {_how_to_continue(options)}") from fault
        yield step
        if step.after is None:
            return
        looked_at = request.max_images
        request = replace(
            request,
            after=step.after,
            looked_at=step.looked_at,
            max_examples=request.max_examples - len(step.examples),
        )
        await sleep(max(0.0, looked_at / options.rate - (clock() - started_s)))


def _how_to_continue(options: ReinspectOptions) -> str:
    if options.dry_run:
        return "Nothing was changed."
    return "What was done is kept. Run the same command again, without `--restart`, to continue."


def _show(bar: "tqdm[Never]", step: Step) -> None:
    """The examples, and how far it is: a bar on a terminal, else a line now and then."""
    for example in step.examples:
        tqdm.write(example, file=sys.stdout)
    if bar.disable:
        if step.after is not None and step.looked_at // LINE_EVERY > bar.n // LINE_EVERY:
            print(f"Looked at {step.looked_at:,} images.", flush=True)
        bar.n = step.looked_at
    else:
        bar.update(step.looked_at - bar.n)


def summarize(looked_at: int, counts: Counter[str], *, dry_run: bool) -> int:
    """Prints what was done and what could not be; returns the exit status."""
    print(f"Looked at {looked_at:,} {'image' if looked_at == 1 else 'images'}.")
    for verdict, (done, planned) in WORDS.items():
        if count := counts[verdict]:
            print(f"{count:>9,} {planned if dry_run else done}")
    if dry_run:
        print("Nothing was changed, because this was a dry run.")
    elif not counts:
        print("Nothing had to be changed.")
    return int(any(counts[verdict] for verdict in UNDONE))
