"""`reinspect --clean` where the originals are in MinIO: objects are replaced there, also after kill -9."""

from dataclasses import replace
from pathlib import Path

from appliance.config.sections.store import Store
from appliance.reinspection.steps import StepRequest
from tests.support.host import ManualClock, running, small_config
from tests.support.images.private_pictures import secrets_in
from tests.support.killed_reinspection import kill_after
from tests.support.managed_images import original
from tests.support.server_process import on_minio
from tests.support.servers import minio_server
from tests.support.stored_before import agreeing, uploaded_before
from tests.support.waiting import until


async def test_an_original_in_minio_is_replaced_by_the_cleaned_one(tmp_path: Path) -> None:
    """Once in one go, and once by a run that is killed while the store still has the object of before."""
    with minio_server(tmp_path / "minio") as minio:
        store = Store("minio", minio.endpoint, access_key=minio.access_key, secret_key=minio.secret_key, secure=False)
        config, clock = replace(small_config(tmp_path / "data"), store=store), ManualClock()
        async with running(config, clock) as host:
            whole = (await uploaded_before(host))["slug"]
            host.appliance.spool.copy_path(whole).unlink()
            step = await host.appliance.reinspector.step(StepRequest(after="", clean=True))
            assert step.counts == {"cleaned": 1}
            broken_off = (await uploaded_before(host))["slug"]
        await kill_after("revise", config.data_dir, **on_minio(minio))
        async with running(config, clock) as host:
            await until(lambda: not host.appliance.shipper.backlog, "everything is in the store")
            for slug in (whole, broken_off):
                assert (await agreeing(host, slug))["private_data"] == "removed"
                assert secrets_in(await original(host, slug)) == []
