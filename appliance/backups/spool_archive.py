"""The spool in a backup, as a tar file: originals that are not shipped yet, and sidecars that are not in the store yet.

A file's metadata is stored as GNU tar and bsdtar store extended attributes, so that either can unpack it too.
"""

import contextlib
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from appliance.domain.errors import CommandFailed
from appliance.domain.slugs import is_slug
from appliance.shared import files
from appliance.spool import ATTRIBUTE

_PAX = f"SCHILY.xattr.{ATTRIBUTE}"
FOLDERS = ("landed", "sidecars")


def link_files(spool_dirs: Iterable[Path], into: Path) -> None:
    """Link the spools' files into another folder, so that shipping can't remove them.

    A file that leaves its spool before it is linked is in the store. Where two spools have a file of one image, the
    newer one is linked: the other is an original that was replaced.
    """
    for name in FOLDERS:
        (into / name).mkdir(parents=True)
    for spool_dir in spool_dirs:
        for name in FOLDERS:
            for path in sorted((spool_dir / name).glob("*")) if (spool_dir / name).is_dir() else ():
                if is_slug(path.name.removesuffix(".json")):
                    with contextlib.suppress(FileNotFoundError):
                        _link_newer(path, into / name / path.name)


def _link_newer(path: Path, to: Path) -> None:
    if to.exists():
        if path.stat().st_mtime_ns <= to.stat().st_mtime_ns:
            return
        to.unlink()
    _link_or_copy(path, to)


def _link_or_copy(path: Path, to: Path) -> None:
    try:
        to.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:  # a filesystem without hard links
        shutil.copy2(path, to)


def pack(held: Path, to: Path) -> int:
    """Write the linked files to a tar file. Returns the number of originals in it."""
    originals = 0
    with tarfile.open(to, "x:", format=tarfile.PAX_FORMAT) as tar:
        for name in FOLDERS:
            for path in sorted((held / name).iterdir()):
                info = tar.gettarinfo(path, f"{name}/{path.name}")
                info.type, info.linkname = tarfile.REGTYPE, ""  # it has two links, which tar would store as a link
                info.size = path.stat().st_size
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                with contextlib.suppress(OSError):
                    info.pax_headers = {_PAX: os.getxattr(path, ATTRIBUTE).decode()}
                with path.open("rb") as file:
                    tar.addfile(info, file)
                originals += name == "landed"
    return originals


def unpack(packed: Path, spool_dir: Path) -> list[str]:
    """Unpack every file that is not in the spool already. Returns the slugs of the originals. Raises CommandFailed."""
    landed = []
    for name in FOLDERS:
        (spool_dir / name).mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(packed, "r:") as tar:
            for info, folder, file in _checked_members(tar, packed):
                _extract(tar, info, spool_dir / folder / file)
                landed += [file] if folder == "landed" else []
    except tarfile.TarError as error:
        raise CommandFailed(f"{packed.name} can't be read: {error}.") from error
    for name in FOLDERS:
        files.sync(spool_dir / name)
    return landed


def digests(packed: Path) -> dict[str, str]:
    """The sha256 of each original in the archive, by slug. Raises CommandFailed."""
    found: dict[str, str] = {}
    try:
        with tarfile.open(packed, "r:") as tar:
            for info, folder, file in _checked_members(tar, packed):
                source = tar.extractfile(info)
                if source is not None and folder == "landed":
                    with source:
                        found[file] = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    except tarfile.TarError as error:
        raise CommandFailed(f"{packed.name} can't be read: {error}.") from error
    return found


def _checked_members(tar: tarfile.TarFile, packed: Path) -> Iterator[tuple[tarfile.TarInfo, str, str]]:
    """Each member with its folder and name. Raises CommandFailed for one that this host would not have packed."""
    for info in tar:
        place = PurePosixPath(info.name)
        if not _is_expected(info, place):
            raise CommandFailed(f"{packed.name} contains {info.name!r}, which doesn't belong in a backup.")
        yield info, place.parent.name, place.name


def _is_expected(info: tarfile.TarInfo, place: PurePosixPath) -> bool:
    wanted = {"landed": place.name, "sidecars": place.name.removesuffix(".json")}
    return info.isreg() and not info.issparse() and len(place.parts) == 2 and is_slug(wanted.get(place.parent.name, ""))


def _extract(tar: tarfile.TarFile, info: tarfile.TarInfo, to: Path) -> None:
    source = tar.extractfile(info)
    if source is None or to.exists():
        return
    unfinished = to.with_name(f".{to.name}.unfinished")
    with source, files.writing(unfinished) as file:
        shutil.copyfileobj(source, file, 1 << 20)
        if _PAX in info.pax_headers:
            with contextlib.suppress(OSError):
                os.setxattr(file.fileno(), ATTRIBUTE, info.pax_headers[_PAX].encode())
    unfinished.rename(to)
