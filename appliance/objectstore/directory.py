"""The directory store: objects are files of the same names below a root; a parallel tree holds what S3 calls metadata.

objects/{key}           the bytes, a hard link to the file that was put where the filesystem allows it
attributes/{key}.json   media type and metadata, written before the object appears and removed after it
unfinished/             files in progress, which get their names by a rename
"""

import json
import os
import secrets
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Concatenate, ParamSpec, TypeVar

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore import files
from appliance.objectstore.port import (
    ObjectEntry,
    ObjectInfo,
    StoreNotCreated,
    check_range,
    checked_key,
    checked_metadata,
    is_key,
)
from appliance.objectstore.reader import ObjectReader
from appliance.shared.filesystem import largest_file_bytes
from appliance.shared.threads import Stop, Threads

THREADS = 16
MIN_FREE_BYTES = 16 * 10**6  # below this `check` says that the disk is full

T = TypeVar("T")
P = ParamSpec("P")


class DirectoryStore:
    """Keeps objects below `root`, which one process owns. The contract is `ObjectStore`'s."""

    name = "directory"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._id_inside, self._id_beside = root / "store-id", root.with_name(f"{root.name}.id")
        self._objects = root / "objects"
        self._attributes = root / "attributes"
        self._unfinished = root / "unfinished"
        self._threads = Threads("store", THREADS)
        self._is_cleared = False

    @property
    def max_object_bytes(self) -> int:
        return largest_file_bytes(self._root)

    async def start(self) -> None:
        await self._run(self._start)

    async def put(self, key: str, path: Path, *, media_type: str, metadata: Mapping[str, str]) -> None:
        attributes = _attributes(media_type, checked_metadata(metadata))
        await self._threads.run(lambda: path.open("rb").close())  # its faults are the caller's, not the store's
        await self._run(self._put, checked_key(key), attributes, partial(files.link_or_copy, path))

    async def put_range(self, key: str, path: Path, start: int, length: int, *, media_type: str) -> None:
        check_range(start, length)
        await self._threads.run(
            files.require_range, path, start, length
        )  # its faults are the caller's, not the store's
        fill = partial(files.copy_range, path, start, length)
        await self._run(self._put, checked_key(key), _attributes(media_type, {}), fill)

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> None:
        await self._run(self._put, checked_key(key), _attributes(media_type, {}), partial(files.write, data))

    async def fetch(self, key: str, to: Path) -> None:
        await self._threads.run_stoppable(partial(self._fetch, key=checked_key(key), to=to))

    async def open(self, key: str, start: int = 0, length: int | None = None) -> ObjectReader:
        check_range(start, length)
        file, bytes_left = await self._threads.run_stoppable(
            lambda _stop: self._open(checked_key(key), start), discard=lambda opened: opened[0].close()
        )
        return ObjectReader(file, min(bytes_left, length or bytes_left), self._threads)

    async def stat(self, key: str) -> ObjectInfo:
        return await self._run(self._stat, checked_key(key))

    async def delete(self, key: str) -> None:
        await self._run(self._delete, checked_key(key))

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        return self._threads.pages(self._entries(prefix, after))

    async def check(self) -> None:
        await self._run(self._check)

    async def close(self) -> None:
        await self._threads.close()

    async def _run(self, call: Callable[Concatenate[Stop, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        def guarded(stop: Stop) -> T:
            with _faults_named():
                return call(stop, *args, **kwargs)

        return await self._threads.run_stoppable(guarded)

    def _start(self, stop: Stop) -> None:
        if not self._is_cleared:  # a later start finds puts in progress there
            with suppress(FileNotFoundError):
                shutil.rmtree(self._unfinished)
            self._is_cleared = True
        self._require_same()
        for folder in (self._objects, self._attributes, self._unfinished):
            files.make_folder(folder)
        self._write_id(stop)

    def _write_id(self, stop: Stop) -> None:
        """Give a new store an id, in a file inside of it and in one next to it."""
        if not self._id_beside.exists():
            store_id = (_read(self._id_inside) or secrets.token_hex(8)).encode()
            for path in (self._id_inside, self._id_beside):
                with files.appearing(path, self._unfinished) as temporary:
                    files.write(store_id, temporary, stop)

    def _require_same(self) -> None:
        """Raises StoreUnavailable where a store was before and is no more: an unmounted disk leaves an empty folder."""
        known = _read(self._id_beside)
        if known is not None and _read(self._id_inside) != known:
            raise StoreUnavailable(
                f"{self._root} is not the store that was here before. Is its disk mounted? "
                f"If that store is lost for good, remove {self._id_beside}."
            )

    def _put(self, stop: Stop, key: str, attributes: bytes, fill: files.Fill) -> None:
        # The attributes come first: an object that is visible has them, after a crash too.
        with files.appearing(self._attributes_path(key), self._unfinished) as temporary:
            files.write(attributes, temporary, stop)
        with files.appearing(self._objects / key, self._unfinished) as temporary:
            fill(temporary, stop)

    def _fetch(self, stop: Stop, key: str, to: Path) -> None:
        self._status(key)
        with files.appearing(to, to.parent) as temporary:
            try:
                files.link_or_copy(self._objects / key, temporary, stop)
            except FileNotFoundError:
                self._status(key)  # deleted a moment ago?
                raise

    def _open(self, key: str, start: int) -> tuple["_File", int]:
        bytes_ = self._status(key).st_size
        if start and start >= bytes_:
            raise ValueError(f"start {start} is not inside the {bytes_} bytes of {key}")
        with _faults_named(), _missing_named(key):
            file = (self._objects / key).open("rb", buffering=0)
        file.seek(start)
        return _File(file), bytes_ - start

    def _stat(self, _stop: Stop, key: str) -> ObjectInfo:
        status = self._status(key)
        path = self._attributes_path(key)
        try:
            attributes = json.loads(path.read_bytes())
            return ObjectInfo(
                key, status.st_size, path.stat().st_mtime, attributes["media_type"], attributes["metadata"]
            )
        except FileNotFoundError:
            self._status(key)  # deleted a moment ago?
            return ObjectInfo(key, status.st_size, status.st_mtime, "application/octet-stream")
        except (ValueError, KeyError, TypeError):  # damaged: the object is there, but nothing tells what it is
            return ObjectInfo(key, status.st_size, status.st_mtime, "application/octet-stream")

    def _status(self, key: str) -> os.stat_result:
        """The file's status. Raises ObjectMissing, for a folder too."""
        with _faults_named():
            try:
                with _missing_named(key):
                    status = (self._objects / key).stat()
                    if not stat.S_ISREG(status.st_mode):
                        raise FileNotFoundError
                    return status
            except ObjectMissing:
                self._require_same()  # or everything would seem to be missing
                raise

    def _delete(self, _stop: Stop, key: str) -> None:
        self._require_same()  # an absent object can be deleted, but not from an absent store
        files.remove(self._objects / key, self._objects)
        files.remove(self._attributes_path(key), self._attributes)

    def _check(self, _stop: Stop) -> None:
        self._require_same()
        if not self._unfinished.is_dir():
            kind = StoreUnavailable if self._id_beside.exists() else StoreNotCreated
            raise kind(f"The store's folder {self._unfinished} is missing.")
        if not os.access(self._unfinished, os.W_OK | os.X_OK):
            raise StoreUnavailable(f"The store's folder {self._unfinished} can't be written to.")
        if shutil.disk_usage(self._objects).free < MIN_FREE_BYTES:
            raise StoreUnavailable(f"The disk that holds {self._objects} is full.")

    def _entries(self, prefix: str, after: str) -> Iterator[ObjectEntry]:
        with _faults_named():
            for key, path in files.walk(self._objects, prefix, after):
                if not is_key(key):
                    continue
                with suppress(FileNotFoundError):  # deleted while we list
                    yield ObjectEntry(key, path.stat().st_size, self._stored_s(key, path))

    def _stored_s(self, key: str, path: Path) -> float:
        """A hard link keeps the time of the file that was put, so the attributes' time is the put's."""
        with suppress(FileNotFoundError):
            return self._attributes_path(key).stat().st_mtime
        return path.stat().st_mtime

    def _attributes_path(self, key: str) -> Path:
        return self._attributes / f"{key}.json"


class _File:
    """An open object, with its faults in words."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, max_bytes: int) -> bytes:
        with _faults_named():
            return self._file.read(max_bytes)

    def close(self) -> None:
        self._file.close()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _attributes(media_type: str, metadata: Mapping[str, str]) -> bytes:
    return json.dumps({"media_type": media_type, "metadata": metadata}).encode()


@contextmanager
def _missing_named(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ObjectMissing(f"The store has no object {key}.") from error


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"The store's disk failed: {files.words(error)}.") from error
