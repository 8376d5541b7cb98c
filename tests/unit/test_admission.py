"""Admission: one place says whether an upload is let in, whichever way it comes."""

from pathlib import Path

import pytest

from appliance.config.model import Uploads
from appliance.domain.clients import Client
from appliance.domain.errors import Busy, DiskFull, Draining, TooLarge, UnsupportedFormat
from appliance.spool import Spool
from appliance.uploads.admission import Admission, AdmissionRequest, AdmissionRule, UploadStage
from appliance.uploads.drain_switch import DrainSwitch
from tests.support.limits import uploads_unlimited

ONE, OTHER = Client("192.0.2.1"), Client("192.0.2.2")


def whole(client: Client = ONE, bytes_: int = 0) -> AdmissionRequest:
    return AdmissionRequest(client, UploadStage.WHOLE, bytes_)


class NothingFrom:
    """A rule against one client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.asked: list[UploadStage] = []

    async def check(self, request: AdmissionRequest) -> None:
        self.asked.append(request.stage)
        if request.client == self._client:
            raise UnsupportedFormat("Nothing is taken from you.")


def admission(
    folder: Path, *rules: AdmissionRule, switch: DrainSwitch | None = None, reserve_bytes: int = 0
) -> Admission:
    spool = Spool(folder, budget_bytes=0, reserve_bytes=reserve_bytes)
    limits = Uploads(max_bytes=1000, concurrency=1)
    return Admission(
        limits,
        drain_switch=switch or DrainSwitch(),
        upload_limits=uploads_unlimited(),
        require_not_banned=lambda _client, _key: None,
        spool=spool,
        rules=rules,
    )


async def test_what_is_certain_is_told_before_anything_is_held(tmp_path: Path) -> None:
    switch = DrainSwitch()
    asked = admission(tmp_path, switch=switch)
    await asked.check(whole(bytes_=1000))
    with pytest.raises(TooLarge):
        await asked.check(whole(bytes_=1001))
    switch.drained = True
    with pytest.raises(Draining):
        await asked.check(whole(bytes_=1001))
    assert asked.in_progress == 0


async def test_a_permit_is_held_while_the_bytes_come(tmp_path: Path) -> None:
    asked = admission(tmp_path)
    async with asked.admitted(whole()):
        assert asked.in_progress == 1
        with pytest.raises(Busy):
            await asked.check(whole(OTHER))
    assert asked.in_progress == 0
    await asked.check(whole(OTHER))


async def test_what_is_under_way_is_not_refused_for_room_that_it_gets_block_by_block(tmp_path: Path) -> None:
    asked = admission(tmp_path, reserve_bytes=1 << 60)
    with pytest.raises(DiskFull):
        await asked.check(whole(bytes_=1))
    await asked.check(AdmissionRequest(ONE, UploadStage.CONTINUING))


@pytest.mark.parametrize("stage", UploadStage)
async def test_a_further_rule_is_asked_for_every_stage(tmp_path: Path, stage: UploadStage) -> None:
    rule = NothingFrom(ONE)
    asked = admission(tmp_path, rule)
    with pytest.raises(UnsupportedFormat):
        await asked.check(AdmissionRequest(ONE, stage))
    with pytest.raises(UnsupportedFormat):
        async with asked.admitted(AdmissionRequest(ONE, stage)):
            pytest.fail("it was let in")
    async with asked.admitted(AdmissionRequest(OTHER, stage)):
        assert rule.asked == [stage] * 3
