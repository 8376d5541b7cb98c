"""The hook of hatchling that puts the built extension into the wheel, which is then for this kind of machine alone."""

import os
import platform
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = Path("appliance/imaging/fast_jpeg/libfastjpeg.so.1")


class WithExtension(BuildHookInterface[Any]):
    """`MACHINE` names the kind of machine that the wheel is for, if that is another one.

    `CROSS_COMPILED` is the library for that kind; without it the wheel has no extension.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        machine = os.environ.get("MACHINE", platform.machine())
        is_for_here = machine == platform.machine()
        built = Path(self.root) / LIBRARY if is_for_here else Path(os.environ.get("CROSS_COMPILED", ""))
        if version == "standard" and built.is_file():
            build_data["force_include"][str(built)] = str(LIBRARY)
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-linux_{machine}"
