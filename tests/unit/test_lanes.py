"""Lanes: which work goes where, and what their workers may take of the machine."""

from dataclasses import replace

import pytest

from appliance.config.model import GB, MB, Renditions
from appliance.domain.renditions import Facts
from appliance.workers.lanes import LaneName, lane_of, lanes_of, pyramid_lane_of

CONFIG = Renditions(workers=4, memory_bytes=512 * MB, heavy_memory_bytes=3 * GB, deadline_s=20, queue=256)
SMALL = Facts("image/jpeg", 4000, 3000, memory_bytes=60 * MB)
SLOW = Facts("image/png", 20_000, 20_000, memory_bytes=130 * MB)


def test_one_worker_alone_may_take_the_memory_of_a_heavy_image() -> None:
    lanes = lanes_of(CONFIG)
    rendering = [lane for name, lane in lanes.items() if name is not LaneName.INSPECT]
    roomy = [lane for lane in rendering if lane.limits.decode_bytes > CONFIG.memory_bytes]
    assert roomy == [lanes[LaneName.HEAVY]]
    assert (roomy[0].workers, roomy[0].has_spare) == (1, False)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_slow_images_get_at_most_half_as_many_workers_as_the_others_and_one_at_least(workers: int) -> None:
    lanes = lanes_of(replace(CONFIG, workers=workers))
    assert lanes[LaneName.NORMAL].workers == workers
    assert lanes[LaneName.LONG].workers == max(1, workers // 2)


def test_the_patient_lanes_have_longer_deadlines_and_stand_back_for_the_others() -> None:
    lanes = lanes_of(CONFIG)
    assert {name: lane.deadline_s for name, lane in lanes.items()} == {
        "inspect": 10,
        "normal": 20,
        "long": 60,
        "heavy": 60,
        "background": 600,
    }
    assert {name for name, lane in lanes.items() if lane.limits.niceness} == {"long", "heavy", "background"}
    assert all(lane.limits.order_cpu_s > lane.deadline_s for lane in lanes.values())


def test_uploads_and_ordinary_images_find_workers_that_run_already() -> None:
    lanes = lanes_of(CONFIG)
    assert {name for name, lane in lanes.items() if lane.idle_s is None} == {"inspect", "normal"}


def test_an_image_goes_to_the_lane_of_what_it_costs() -> None:
    assert lane_of(SMALL, CONFIG) is LaneName.NORMAL
    assert lane_of(SMALL, CONFIG, long=True) is LaneName.LONG
    assert lane_of(SLOW, CONFIG) is LaneName.LONG
    assert lane_of(replace(SLOW, memory_bytes=513 * MB), CONFIG) is LaneName.HEAVY
    assert lane_of(replace(SMALL, memory_bytes=513 * MB), CONFIG, long=True) is LaneName.HEAVY


def test_a_pyramid_that_takes_much_memory_is_built_among_the_heavy_images() -> None:
    assert pyramid_lane_of(SMALL, CONFIG) is LaneName.BACKGROUND
    assert pyramid_lane_of(replace(SMALL, memory_bytes=2 * GB), CONFIG) is LaneName.HEAVY
