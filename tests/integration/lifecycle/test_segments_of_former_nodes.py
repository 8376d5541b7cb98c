"""Several nodes became one server again: what they left in the store is removed once nobody can need it."""

import time

from appliance.config.model import Config
from appliance.resumable.segments import MEDIA_TYPE, PREFIX
from appliance.server.background_jobs import background_jobs
from tests.support.host import DAY_S, Host, ManualClock, running
from tests.support.rows import upload


async def stored(host: Host) -> list[str]:
    return [entry.key async for entry in host.appliance.store.list(PREFIX)]


async def test_a_server_that_is_alone_removes_segments_that_nobody_needs_a_week_later(config: Config) -> None:
    async with running(config, ManualClock(time.time())) as host:
        now_s = int(host.clock())
        unfinished, expired = upload(1, expires_s=now_s + 30 * DAY_S), upload(2, expires_s=now_s + DAY_S)
        for row in (unfinished, expired):
            await host.appliance.catalogue.uploads.add(row)
        names = (unfinished.id_hash, expired.id_hash, "0" * 64)
        keys = {name: [f"{PREFIX}{name}/{start:015}" for start in (0, 100)] for name in names}
        for key in [key for each in keys.values() for key in each]:
            await host.appliance.store.put_bytes(key, b"a segment", media_type=MEDIA_TYPE)
        host.clock.forward(6 * DAY_S)
        assert await host.appliance.segment_sweep.run() == 0, "nodes may share the store by mistake"
        host.clock.forward(2 * DAY_S)
        await host.appliance.upload_janitor.run()
        assert await host.appliance.segment_sweep.run() == 2
        assert await stored(host) == keys[unfinished.id_hash]


async def test_it_looks_for_them_by_a_job(host: Host) -> None:
    assert "segment-sweep" in background_jobs(host.appliance).first_runs()
    assert await host.appliance.segment_sweep.run() == 0
