"""What the doctor learns in a process of its own, because neither it nor the server decodes or sandboxes itself.

`python -m appliance.doctor.probes libvips` prints the version and formats, `... fast-jpeg` which C extension is in use,
`... sandbox` the protections of a worker; each as one line of JSON.
"""

import json
import sys
from typing import Any

from appliance.config.model import Renditions
from appliance.domain.errors import UnfitInstallation
from appliance.imaging import versions, worker
from appliance.imaging.fast_jpeg import extension
from appliance.workers.limits import MAX_CPU_S, MAX_OUTPUT_BYTES


def libvips() -> dict[str, Any]:
    """The libvips in use, and what is wrong with it, or None."""
    try:
        versions.check_installation()
        unfit = None
    except UnfitInstallation as error:
        unfit = error.detail
    version = ".".join(map(str, versions.libvips_version()))
    return {"version": version, "formats": list(versions.formats_available()), "unfit": unfit}


def fast_jpeg() -> dict[str, Any]:
    """The extension that resizes JPEGs, and what is missing where libvips has to do it: for all, or for WebP."""
    loaded = extension.loaded()
    if isinstance(loaded, str):
        return {"lacking": loaded}
    libraries = [f"libjpeg-turbo {extension.version('libjpeg_turbo')}", f"libwebp {extension.version('webp')}"]
    return {"kernels": loaded.kernels, "libraries": libraries, "lacking": None, "lacking_webp": loaded.lacking_webp}


def protections() -> dict[str, Any]:
    """The protections that this process could apply to itself, as workers do."""
    return {"protections": list(worker.prepare(Renditions().memory_bytes, MAX_OUTPUT_BYTES, MAX_CPU_S))}


if __name__ == "__main__":
    print(json.dumps({"libvips": libvips, "fast-jpeg": fast_jpeg, "sandbox": protections}[sys.argv[1]]()))
