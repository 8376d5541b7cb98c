"""What the suites of managing and ending ask of a host."""

from datetime import UTC, datetime
from typing import Any

from tests.support.host import Host


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


async def changed(host: Host, image: dict[str, Any], **members: Any) -> dict[str, Any]:
    """What the image is after an accepted change, as the reply and a GET tell it."""
    response = await host.patch(image["slug"], image["delete_token"], **members)
    resource: dict[str, Any] = await response.json()
    assert response.status == 200, resource
    assert resource == await (await host.get(f"/api/v1/images/{image['slug']}")).json()
    assert "delete_token" not in resource
    return resource


async def status(host: Host, image: dict[str, Any], rest: str = "/original") -> int:
    return (await host.get(f"/i/{image['slug']}{rest}")).status


async def original(host: Host, slug: str) -> bytes:
    reply = await host.get(f"/i/{slug}/original")
    assert reply.status == 200
    return await reply.read()


async def resource(host: Host, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = await (await host.get(f"/api/v1/images/{slug}")).json()
    return found
