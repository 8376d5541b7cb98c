"""Uploads and deletes an image with the client that openapi-python-client makes, whose package is `image_host`.

URL upload FILE | URL tus FILE: print the image. URL delete SLUG TOKEN: prints nothing.
"""

import json
import sys
from io import BytesIO
from pathlib import Path

from image_host import AuthenticatedClient, Client
from image_host.api.images import create_image, delete_image
from image_host.api.resumable import continue_upload, create_upload, get_upload_state
from image_host.models import Image, UploadForm, UploadState
from image_host.types import File

TUS = "1.0.0"


def upload(url: str, path: Path) -> Image:
    file = File(payload=BytesIO(path.read_bytes()), file_name=path.name, mime_type="image/jpeg")
    image = create_image.sync(client=Client(url), body=UploadForm(file=file, title="Cat", expires_in="30d"))
    assert isinstance(image, Image), image
    return image


def upload_by_tus(url: str, path: Path) -> Image:
    client, data = Client(url), path.read_bytes()
    created = create_upload.sync_detailed(client=client, tus_resumable=TUS, upload_length=str(len(data)))
    upload_id, half = created.headers["Location"].rpartition("/")[2], len(data) // 2
    for offset, part in ((0, data[:half]), (half, data[half:])):
        sent = File(payload=BytesIO(part))
        done = continue_upload.sync_detailed(
            upload_id, client=client, body=sent, tus_resumable=TUS, upload_offset=str(offset)
        )
        assert done.status_code == 204, done.content
    state = get_upload_state.sync(upload_id, client=client)
    assert isinstance(state, UploadState), state
    assert isinstance(state.image, Image), state
    return state.image


def delete(url: str, slug: str, token: str) -> None:
    reply = delete_image.sync_detailed(slug, client=AuthenticatedClient(url, token=token))
    assert reply.status_code == 204, reply.content


def main(url: str, verb: str, *rest: str) -> None:
    if verb == "delete":
        delete(url, *rest)
        return
    image = (upload if verb == "upload" else upload_by_tus)(url, Path(rest[0]))
    json.dump(image.to_dict(), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
