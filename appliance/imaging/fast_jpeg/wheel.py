"""The hook of hatchling that puts the built extension into the wheel, which is then for this kind of machine alone."""

import os
import platform
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = Path("appliance/imaging/fast_jpeg/libfastjpeg.so.1")


class WithExtension(BuildHookInterface[Any]):
    """`MACHINE` names the kind of machine that the wheel is for, if that is another one: it has no extension then."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        is_for_here = os.environ.get("MACHINE", platform.machine()) == platform.machine()
        if version == "standard" and is_for_here and (Path(self.root) / LIBRARY).exists():
            build_data["artifacts"].append(f"/{LIBRARY}")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
