"""A copy between catalogues with a progress bar, where somebody watches it."""

import sys

from tqdm import tqdm

from appliance.catalogue.moving import CatalogueMove, Copied


def run_watched(move: CatalogueMove) -> Copied:
    """Run the copy; the bar is on standard error, if that is a terminal. Raises what the copy raises."""
    is_watched = sys.stderr.isatty()
    total = move.count() if is_watched else None
    with tqdm(total=total, unit=" rows", unit_scale=True, disable=not is_watched) as bar:
        return move.run(bar.update)
