from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge_ttvos.errors import DatasetError, EngineError, InputError, OutputError
from edge_ttvos.evaluation.score import score_folder
from edge_ttvos.firmware_bridge.bench import peers
from edge_ttvos.firmware_bridge.bench.run import run_bench
from edge_ttvos.firmware_bridge.bench.table import title
from edge_ttvos.firmware_bridge.evaluate import track_sequence
from edge_ttvos.firmware_bridge.latency import STAGES, Latencies
from edge_ttvos.firmware_bridge.tracker import Tracker

PROMISED = {
    "fps": {"end_to_end", "model"},
    "latency_ms": {"p50", "p95", "p99", "stages"},
    "memory": {"arena_bytes", "peak_rss_bytes", "rss_before_bytes", "rss_after_bytes"},
    "first_frame_ms": {"open", "start", "total"},
    "glue": {"ms", "percent"},
    "condition": {"before", "during", "after", "throttled_by"},
}
PLAIN = {"J&F", "J&F_float", "J&F_loss", "throttled", "sequences", "protocol", "peers", "objects"}
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def stored(folder: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    record: dict[str, Any] = json.loads((folder / "bench.json").read_text(), parse_constant=refuse)
    return record


def test_the_record_is_as_promised(config: Any, ear: Any, tmp_path: Path) -> None:
    record = run_bench(config, ear, root=tmp_path)

    assert stored(config.out) == record
    assert (record["schema"], record["complete"]) == (1, True)
    assert set(record) >= PLAIN | set(PROMISED)
    for key, inside in PROMISED.items():
        assert set(record[key]) >= inside
    assert record["throttled"] is None
    assert list(record["sequences"]) == ["dusk", "walk"]
    assert record["protocol"]["frames_timed"] == 6 + 13
    assert sorted(path.name for path in config.out.iterdir()) == [
        "bench.json",
        "bench.png",
        "masks",
    ]
    assert ear.shares == sorted(ear.shares)
    assert ear.shares[-1] == pytest.approx(1)
    assert not any("THROTTLED" in text for text in ear.titles + ear.lines)


def test_figures_agree_with_each_other(config: Any, ear: Any) -> None:
    record = run_bench(replace(config, peers=False), ear)

    stages = record["latency_ms"]["stages"]
    assert tuple(stages) == STAGES
    whole = sum(stage["mean"] for stage in stages.values())
    model = sum(stages[name]["mean"] for name in ("encode", "embed", "decode"))
    assert record["fps"]["end_to_end"] == pytest.approx(1e3 / whole, rel=0.01)
    assert record["fps"]["model"] == pytest.approx(1e3 / model, rel=0.01)
    assert record["glue"]["ms"] == pytest.approx(whole - model, abs=0.01)
    assert record["glue"]["percent"] == pytest.approx(100 * (whole - model) / whole, abs=0.5)
    first = record["first_frame_ms"]
    assert first["total"] == pytest.approx(first["open"] + first["start"], abs=0.2)
    assert 0 < record["memory"]["arena_bytes"] < record["memory"]["peak_rss_bytes"]
    assert record["peers"] == {}


def test_scores_are_those_of_the_tracker(
    config: Any, ear: Any, dataset: Any, tmp_path: Path
) -> None:
    record = run_bench(replace(config, peers=False, sequences="walk"), ear)

    folder = tmp_path / "by-hand"
    folder.mkdir()
    with closing(Tracker.open(config.model, "torch", 1)) as tracker:
        track_sequence(tracker, dataset.load("walk"), "mask", folder, Latencies())
    score = score_folder(dataset.load("walk"), folder)
    assert score.j is not None
    assert record["sequences"]["walk"]["J"] == pytest.approx(100 * score.j.mean)
    assert list(record["sequences"]) == ["walk"]


def test_a_throttled_run_is_never_reported_as_clean(config: Any, ear: Any, tmp_path: Path) -> None:
    firmware = tmp_path / "root" / FIRMWARE
    firmware.parent.mkdir(parents=True)
    firmware.write_text("40004")

    record = run_bench(replace(config, peers=False), ear, root=tmp_path / "root")

    assert record["throttled"] is True
    assert record["condition"]["throttled_by"] == ["throttled"]
    assert title(record).startswith("THROTTLED (throttled): ")
    assert ear.titles[0].startswith("THROTTLED")
    assert "THROTTLED" in ear.lines[-1]
    firmware.write_text("0")
    clean = run_bench(replace(config, peers=False, overwrite=True), ear, root=tmp_path / "root")
    assert clean["throttled"] is False
    assert not title(clean).startswith("THROTTLED")


def test_a_reference_gives_the_loss(config: Any, ear: Any, tmp_path: Path) -> None:
    first = run_bench(replace(config, peers=False), ear)
    scores = {name: {"J&F": f["J&F"] + 1.5} for name, f in first["sequences"].items()}
    reference = tmp_path / "float.json"
    reference.write_text(json.dumps({"sequences": scores, "protocol": {"dataset": "davis2016"}}))

    task = replace(config, peers=False, reference=reference, overwrite=True)
    record = run_bench(task, ear)

    assert record["J&F_loss"] == pytest.approx(1.5)
    assert record["J&F_float"] == pytest.approx(record["J&F"] + 1.5)
    assert first["J&F_loss"] is None


def test_peers_stand_beside_ours(
    config: Any, ear: Any, make_clip: Any, make_knowing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = make_knowing(make_clip(count=14).labels, 4.0)

    def absent(ours: Any, config: Any) -> Any:
        raise EngineError("it is not installed")

    monkeypatch.setattr(peers, "PEERS", {"knowing": lambda *_: peer, "absent": absent})
    record = run_bench(config, ear)

    assert list(record["peers"]) == ["ours", "knowing", "absent"]
    assert record["peers"]["ours"]["J&F"] == pytest.approx(record["J&F"])
    assert record["peers"]["knowing"]["box_iou"] == pytest.approx(100)
    assert record["peers"]["absent"] == {"left_out": "it is not installed"}
    assert "absent was left out: it is not installed" in ear.lines
    assert (peer.started, peer.closed) == (2, True)


def test_what_was_finished_before_an_interrupt_stays(config: Any, ear: Any) -> None:
    ear.interrupt_at = "walk"
    with pytest.raises(KeyboardInterrupt):
        run_bench(config, ear)

    record = stored(config.out)
    assert (record["complete"], record["reason"]) == (False, "KeyboardInterrupt")
    assert list(record["sequences"]) == ["dusk"]
    assert record["fps"]["end_to_end"] > 0
    assert not (config.out / "bench.png").exists()


def test_the_record_is_there_from_the_start(
    config: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    update = ear.update

    def look(share: float | None, note: str = "") -> None:
        seen.append(stored(config.out))
        update(share, note)

    monkeypatch.setattr(ear, "update", look)
    run_bench(replace(config, peers=False), ear)

    assert not any(record["complete"] for record in seen)
    assert "not finished" in seen[0]["reason"]
    assert seen[0]["J&F"] is None


def test_without_matplotlib_a_line_says_how_to_get_it(
    config: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    record = run_bench(replace(config, peers=False), ear)

    assert record["complete"]
    assert any("pip install matplotlib" in line for line in ear.lines)
    assert not (config.out / "bench.png").exists()


def test_the_picture_is_whole_and_shows_something(config: Any, ear: Any) -> None:
    run_bench(replace(config, peers=False), ear)

    with Image.open(config.out / "bench.png") as image:
        colours = image.convert("RGB").getcolors(1 << 24)
        assert image.size == (1650, 690)
    assert colours is not None
    assert {(0, 114, 178), (0, 158, 115)} <= {colour for _, colour in colours}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data": Path("/nowhere")}, DatasetError, "must hold davis2016"),
        ({"sequences": "absent"}, DatasetError, "absent"),
        ({"engine": "absent"}, EngineError, "absent"),
        ({"reference": Path("/nowhere.json")}, InputError, "--reference"),
    ],
)
def test_what_cannot_be_used_leaves_nothing_behind(
    config: Any, ear: Any, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run_bench(replace(config, **change), ear)
    assert not config.out.exists()


def test_older_results_and_inputs_are_not_overwritten(config: Any, ear: Any) -> None:
    config.out.mkdir()
    (config.out / "bench.json").write_text("older")
    with pytest.raises(OutputError, match=r"already holds bench\.json"):
        run_bench(config, ear)
    reference = config.out / "bench.json"
    reference.write_text('{"sequences": {}, "protocol": {"dataset": "davis2016"}}')
    with pytest.raises(OutputError, match="read by this run"):
        run_bench(replace(config, reference=reference, overwrite=True), ear)
    assert reference.exists()
