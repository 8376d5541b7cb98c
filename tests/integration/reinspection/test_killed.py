"""kill -9 at every step of cleaning a stored original: row, sha256, object and served bytes agree at the next start."""

from pathlib import Path

from appliance.reinspection.steps import StepRequest
from tests.support.host import Host, ManualClock, running, small_config
from tests.support.images.private_pictures import secrets_in
from tests.support.killed_reinspection import POINTS, kill_after
from tests.support.managed_images import original
from tests.support.stored_before import agreeing, uploaded_before
from tests.support.waiting import until


async def test_everything_agrees_after_a_kill_at_any_step(tmp_path: Path) -> None:
    config, clock = small_config(tmp_path / "data"), ManualClock()
    async with running(config, clock) as host:
        slug = (await uploaded_before(host))["slug"]
    for point in POINTS:
        await kill_after(point, config.data_dir)
        async with running(config, clock) as host:
            await cleaned_in_the_end(host, slug)
            slug = (await uploaded_before(host))["slug"]


async def cleaned_in_the_end(host: Host, slug: str) -> None:
    """Everything agrees after a start, and after the next run nothing private is left."""
    await until(lambda: not host.appliance.shipper.backlog, "everything is in the store")
    await agreeing(host, slug)
    await host.appliance.reinspector.step(StepRequest(after="", clean=True))
    await agreeing(host, slug)
    assert secrets_in(await original(host, slug)) == []
    assert host.files("spool/landed") == host.files("spool/incoming") == []
