"""S3 servers of other makers: versitygw over a folder, and SeaweedFS in one process."""

import json
import shutil
from pathlib import Path

from tests.support.programs import ROOT, free_port, require
from tests.support.servers import ACCESS_KEY, REGION, SECRET_KEY, Server, answers


def versitygw_server(folder: Path) -> Server:
    """A versitygw that is not started yet, its objects below `folder`. May skip the test (see `require`)."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [_program("versitygw"), "--port", f"127.0.0.1:{port}", "--region", REGION, "--quiet"]
    command += ["--access", ACCESS_KEY, "--secret", SECRET_KEY, "posix", str(data)]
    return Server(command, port, folder / "versitygw.log", answers, {"HOME": str(folder)})


def seaweedfs_server(folder: Path) -> Server:
    """A SeaweedFS that is not started yet, all of its parts in one process. May skip the test (see `require`)."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identities = folder / "identities.json"
    identities.write_text(
        json.dumps(
            {"identities": [{"name": "tests", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}]}
        )
    )
    port = free_port()
    command = [_program("weed"), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=100"]
    command += ["-master.volumeSizeLimitMB=1000", "-filer", "-s3", f"-s3.port={port}", f"-s3.config={identities}"]
    for part in ("master", "volume", "filer"):
        command += [f"-{part}.port={free_port()}", f"-{part}.port.grpc={free_port()}"]
    command += [f"-s3.port.grpc={free_port()}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    return Server(command, port, folder / "seaweedfs.log", answers, {"HOME": str(folder)})


def _program(name: str) -> str:
    built = ROOT / "build" / "bin" / name
    found = str(built) if built.exists() else shutil.which(name)
    if found is None:
        require(name, "run `make stores`")
    assert found is not None
    return found
