"""What people see of a copy between catalogues: a progress bar, where somebody watches it, and what it waits for."""

import sys

from tqdm import tqdm

from appliance.catalogue.moving import CatalogueMove, Copied


def tell(sentence: str) -> None:
    """Say it on standard error, above the bar."""
    tqdm.write(f"appliance: {sentence}", file=sys.stderr)
    sys.stderr.flush()


def run_watched(move: CatalogueMove) -> Copied:
    """Run the copy; the bar is on standard error, if that is a terminal. Raises what the copy raises."""
    is_watched = sys.stderr.isatty()
    total = move.count() if is_watched else None
    with tqdm(total=total, unit=" rows", unit_scale=True, disable=not is_watched) as bar:
        return move.run(bar.update)
