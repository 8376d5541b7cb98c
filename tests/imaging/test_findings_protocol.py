"""What a worker found in a file, on its way to the server."""

import tempfile
from typing import Any

import pytest

from appliance.config.model import Renditions
from appliance.domain import file_edits
from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.domain.renditions import Facts
from appliance.workers import Workers
from appliance.workers.answers import Edited, Examined, pack_answer, unpack_answer
from appliance.workers.pending_orders import Reply
from appliance.workers.protocol import Examine, FindPrivate, Inspect, pack_order, unpack_order
from appliance.workers.supervised_worker import SupervisedWorker
from tests.support.workers import in_memory


@pytest.mark.parametrize("keep", KeepMetadata)
def test_an_order_says_what_may_stay(keep: KeepMetadata) -> None:
    alone = FindPrivate(keep, 3)
    for order in (alone, Examine(Inspect(1, 2, 3, 4), alone)):
        assert unpack_order(pack_order(order)) == order


@pytest.mark.parametrize("answer", [Edited(True), Edited(False, content_credentials=True, cut_at=4711)])
def test_what_was_found_survives_its_journey(answer: Edited) -> None:
    facts = Facts("image/jpeg", 4, 3, 1, has_alpha=False, progressive=False, memory_bytes=9)
    for whole in (answer, Examined(facts, answer), Examined(facts, None)):
        assert unpack_answer(pack_answer(whole)) == whole


@pytest.mark.parametrize("cut_at", [-1, 0, 12, 10**12, "7"])
async def test_a_length_that_a_worker_makes_up_is_not_believed(cut_at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answered(*_: object) -> Reply:
        answer = unpack_answer(pack_answer(Edited(True, cut_at=cut_at)))
        assert isinstance(answer, Edited)
        return answer, [in_memory(file_edits.pack(()))]

    monkeypatch.setattr(SupervisedWorker, "run", answered)
    workers = Workers(Renditions(), max_pixels=1)
    with tempfile.TemporaryFile() as file:
        file.write(b"7 bytes" if cut_at == "7" else b"twelve bytes")
        file.flush()
        found = await workers.find_private(file.fileno(), KeepMetadata.NOTHING)
    await workers.stop(grace_s=0)
    assert found == Findings((), complete=False)
