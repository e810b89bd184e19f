from __future__ import annotations

from edge_ttvos.contracts import FrameSpec, ModelSpec
from edge_ttvos.targets.base import known_targets
from edge_ttvos.targets.budget import over_budget


def model(height: int, width: int) -> ModelSpec:
    return ModelSpec("m", "0" * 64, "fp32", FrameSpec(height, width), 3, True, "weighted", True)


def test_every_target_has_room_for_the_papers_size() -> None:
    for target in known_targets().values():
        assert over_budget(target, [model(480, 864), model(864, 480)]) == []


def test_a_size_too_large_is_told_with_its_bytes_and_what_to_do() -> None:
    target = known_targets()["raspberry-pi"]

    (finding,) = over_budget(target, [model(240, 432), model(1088, 1920)])

    assert finding.file == "1088x1920"
    assert "MiB for 8 objects, where raspberry-pi has 48" in finding.message
    assert "--max-objects" in finding.message
