"""``python -m edge_ttvos.firmware_bridge``: what a board types, in this process and in its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.firmware_bridge.__main__ import main
from edge_ttvos.firmware_bridge.bench import golden
from edge_ttvos.firmware_bridge.check import Check
from edge_ttvos.firmware_bridge.diagnosis import Diagnosis

ENGINE = "onnxruntime"


@pytest.fixture
def bundle(deployed: Callable[[str, Path], Path], checkpoint: Callable[[str], Path]) -> Path:
    pytest.importorskip(ENGINE)
    return deployed(ENGINE, checkpoint("release"))


@pytest.fixture
def frames(tmp_path: Path, make_clip: Any) -> Path:
    folder = tmp_path / "frames"
    folder.mkdir()
    clip = make_clip(count=4)
    for index, frame in enumerate(clip.frames):
        Image.fromarray(frame).save(folder / f"{index:05d}.png")
    write_mask(tmp_path / "given.png", clip.labels[0])
    white = np.where(clip.labels[0] == 1, 255, 0).astype(np.uint8)
    Image.fromarray(white).save(tmp_path / "white.png")
    return folder


def test_the_self_test_prints_a_line_a_size_and_dumps_what_it_found(
    bundle: Path, tmp_path: Path, capsys: Any
) -> None:
    assert main(["selftest", str(bundle), "--dump", str(tmp_path / "found.npz")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert (record["size"], record["ok"], record["frames"]) == ([48, 80], True, 11)
    found = np.load(tmp_path / "found.npz")
    assert found["48x80.masks"].shape == (11, 240, 427)
    assert found["48x80.probabilities"].dtype == np.float32


@pytest.mark.parametrize(
    "given", [["--mask", "given.png"], ["--mask", "white.png"], ["--box", "8,6,16,16"]]
)
def test_run_follows_an_object(
    given: list[str], bundle: Path, frames: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "frames", str(bundle), *given, "--out", "out"]) == 0
    assert "4 frames" in capsys.readouterr().out
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 4
    assert json.loads((tmp_path / "out" / "track.json").read_text())["complete"] is True


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "either --mask PNG or --box"),
        (["--box", "8,6"], "--box must be X,Y,W,H in pixels; got 8,6"),
        (["--mask", "none.png"], "none.png"),
    ],
)
def test_what_cannot_be_followed_is_one_line(
    given: list[str], message: str, frames: Path, tmp_path: Path, capsys: Any
) -> None:
    assert main(["run", str(frames), "no-bundle", *given, "--out", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_bench_without_data_measures_speed_alone(
    bundle: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(golden, "SECONDS", 0.0)
    out = tmp_path / "bench"
    arguments = ["bench", str(bundle), "--threads", "1", "--out", str(out)]
    assert main(arguments) == 0
    assert "frames/s end to end over 11 frames" in capsys.readouterr().out
    record = json.loads((out / "bench.json").read_text())
    assert record["fps"]["end_to_end"] > 0
    assert record["latency_ms"]["stages"]["encode"]["p50"] > 0
    assert record["memory"]["peak_rss_bytes"] > record["memory"]["arena_bytes"] > 0
    assert (record["J&F"], record["sequences"]) == (None, {})
    assert record["protocol"]["dataset"] == "golden clip"
    assert main(arguments) == 1
    assert "already holds bench.json" in capsys.readouterr().err


def test_doctor_says_what_is_here_and_writes_it(tmp_path: Path, capsys: Any) -> None:
    assert main(["doctor", "--json", str(tmp_path / "doctor.json")]) == 0
    assert "engine" in capsys.readouterr().out
    assert json.loads((tmp_path / "doctor.json").read_text())["can_track"] is True


def test_a_board_that_cannot_track_is_told_what_to_type(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    lacking = Diagnosis((Check("numpy", False, "no", advice="pip install numpy"),))
    monkeypatch.setattr("edge_ttvos.firmware_bridge.__main__.diagnose", lambda: lacking)
    assert main(["doctor", "--json", str(tmp_path / "doctor.json")]) == 1
    assert "type: pip install numpy" in capsys.readouterr().err
    assert json.loads((tmp_path / "doctor.json").read_text())["can_track"] is False


def test_no_bundle_is_one_line(tmp_path: Path, capsys: Any) -> None:
    assert main(["selftest", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_it_runs_as_a_module_without_the_hosts_part(bundle: Path, tmp_path: Path) -> None:
    code = "import sys; from edge_ttvos.firmware_bridge.__main__ import main"
    code += "; code = main(sys.argv[1:])"
    code += "; assert not {'torch', 'typer', 'edge_ttvos.cli'} & set(sys.modules); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code, "selftest", str(bundle), "--threads", "1"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
