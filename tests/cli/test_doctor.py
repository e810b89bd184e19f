"""``edge-ttvos doctor``, and the command where there is no PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.cli.console import Screen
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.firmware_bridge.check import Check
from edge_ttvos.firmware_bridge.diagnosis import Diagnosis
from edge_ttvos.weights import LICENSE_NOTE

WITHOUT = """
class Board:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Board())
"""
ENGINES = ("ai_edge_litert", "onnxruntime", "openvino", "tensorflow", "tflite_runtime")
WITHOUT_TORCH = WITHOUT.format(absent=("torch", "safetensors"))
WITHOUT_ENGINES = WITHOUT.format(absent=("torch", "safetensors", *ENGINES))
REMEDY = "pip install 'edge-ttvos[host]'"


def test_a_whole_installation_can_track(call: Callable[..., Any]) -> None:
    done = call("doctor")

    assert (done.code, done.err) == (0, "")
    assert "This installation can track." in done.out
    assert "engine torch" in done.out
    said = " ".join(part.strip() for part in done.out.replace("│", " ").split())
    for word in ("CC BY-NC 4.0", "non-commercial", "numpy", "weights"):
        assert word in said


def test_doctor_in_json(call: Callable[..., Any]) -> None:
    done = call("doctor", "--json", "-", "-v")

    assert done.code == 0
    record = done.json
    assert (record["schema"], record["complete"], record["can_track"]) == (1, True, True)
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["live page"]["ok"]
    assert checks["weights' licence"]["finding"] == LICENSE_NOTE
    assert all(checks[name]["ok"] for name in ("python", "numpy", "engine torch", "weights"))
    assert record["protocol"]["device"]


def test_without_engines_doctor_says_what_to_type(shell: Callable[..., Any]) -> None:
    done = shell("doctor", "--json", "-", before=WITHOUT_ENGINES)

    assert done.code == 1
    assert done.json["can_track"] is False
    engines = {c["name"]: c for c in done.json["checks"] if c["name"].startswith("engine ")}
    assert not any(engine["ok"] for engine in engines.values())
    assert engines["engine torch"]["advice"] == REMEDY
    assert engines["engine litert"]["advice"] == "pip install ai-edge-litert"
    assert "edge-ttvos: this installation cannot track yet; type:" in done.err
    assert REMEDY in done.err


def test_one_engine_is_enough(shell: Callable[..., Any]) -> None:
    pytest.importorskip("onnxruntime")
    done = shell("doctor", "--json", "-", before=WITHOUT_TORCH)

    assert (done.code, done.json["can_track"]) == (0, True)
    (engine,) = (check for check in done.json["checks"] if check["name"] == "engine torch")
    assert (engine["ok"], engine["advice"]) == (False, REMEDY)


def test_without_torch_a_checkpoint_ends_with_one_clear_line(
    shell: Callable[..., Any], clip: Path, tmp_path: Path
) -> None:
    options = ("--box", "1,2,30,30", "--model", "release", "--out", tmp_path / "out")

    done = shell("track", clip, *options, before=WITHOUT_TORCH)

    assert done.code == 1
    assert "engine torch needs torch, which is not installed" in done.complaint
    assert REMEDY in done.complaint
    assert not (tmp_path / "out").exists()


def test_without_torch_the_default_is_the_int8_model(
    shell: Callable[..., Any], clip: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ai_edge_litert.interpreter")
    options = ("--box", "1,2,30,30", "--out", tmp_path / "out", "--json", "-")

    done = shell("track", clip, *options, before=WITHOUT_TORCH)

    assert done.code == 0, done.err
    protocol = done.json["protocol"]
    assert (protocol["engine"], protocol["precision"]) == ("litert", "w8a8sfloat")


def test_without_torch_score_works(
    shell: Callable[..., Any], clip: Path, scene: Any, tmp_path: Path
) -> None:
    for kind, source in (("JPEGImages", clip), ("Annotations", None)):
        folder = tmp_path / kind / "walk"
        folder.mkdir(parents=True)
        for t, labels in enumerate(scene.labels):
            if source is None:
                write_mask(folder / f"shot_{t + 3:02d}.png", np.minimum(labels, 1))
            else:
                frame = source / f"shot_{t + 3:02d}.jpg"
                (folder / frame.name).write_bytes(frame.read_bytes())
    options = ("--dataset", "davis2016", "--root", tmp_path, "--json", "-")

    done = shell(
        "score",
        "--predictions",
        tmp_path / "Annotations",
        *options,
        "--out",
        tmp_path / "out",
        before=WITHOUT_TORCH,
    )

    assert done.code == 0, done.err
    assert done.json["J&F"] == 100


def test_without_torch_help_works(shell: Callable[..., Any]) -> None:
    done = shell("track", "--help", before=WITHOUT_TORCH)

    assert done.code == 0
    assert "--mask" in done.out


@pytest.mark.parametrize(
    ("checks", "can", "remedies"),
    [
        ([], False, ("",)),
        ([Check("engine a", True, "1", needed=False)], True, ()),
        (
            [Check("engine a", False, "no", False, "get a"), Check("engine b", True, "1", False)],
            True,
            (),
        ),
        (
            [
                Check("numpy", False, "no", advice="get numpy"),
                Check("engine a", False, "no", False, "get a"),
                Check("engine b", False, "no", False, "get b"),
            ],
            False,
            ("get numpy", "get a or get b"),
        ),
        (
            [Check("numpy", False, "", advice="get it"), Check("engine a", True, "", False)],
            False,
            ("get it",),
        ),
    ],
)
def test_the_verdict(checks: list[Check], can: bool, remedies: tuple[str, ...]) -> None:
    diagnosis = Diagnosis(tuple(checks))

    assert (diagnosis.can_track, diagnosis.remedies) == (can, remedies)


def test_a_narrow_terminal_loses_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().table("narrow", ("what", "found"), [("x" * 100, "y" * 100)])

    shown = capsys.readouterr().out
    assert (shown.count("x"), shown.count("y")) == (100, 100)
