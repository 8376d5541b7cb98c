"""Uploads and deletes an image with the Python client that openapi-generator makes, whose package is `image_host`.

URL upload FILE | URL tus FILE: print the image. URL delete SLUG TOKEN: prints nothing.
"""

import sys
from pathlib import Path

from image_host import ApiClient, Configuration, Image, ImagesApi, ResumableApi

TUS = "1.0.0"


def upload(client: ApiClient, path: Path) -> Image:
    return ImagesApi(client).create_image((path.name, path.read_bytes()), title="Cat", expires_in="30d")


def upload_by_tus(client: ApiClient, path: Path) -> Image:
    uploads, data = ResumableApi(client), path.read_bytes()
    # It can't leave out a body that is optional.
    created = uploads.create_upload_with_http_info(TUS, upload_length=str(len(data)), body=b"")
    upload_id, half = created.headers["Location"].rpartition("/")[2], len(data) // 2
    for offset, part in ((0, data[:half]), (half, data[half:])):
        uploads.continue_upload(upload_id, TUS, str(offset), part)
    return uploads.get_upload_state(upload_id).image.actual_instance


def main(url: str, verb: str, *rest: str) -> None:
    configuration = Configuration(host=url, access_token=rest[1] if verb == "delete" else None)
    with ApiClient(configuration) as client:
        if verb == "delete":
            ImagesApi(client).delete_image(rest[0])
        else:
            image = (upload if verb == "upload" else upload_by_tus)(client, Path(rest[0]))
            sys.stdout.write(image.to_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
