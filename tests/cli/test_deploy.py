"""``edge-ttvos deploy``: refusals, the record, and that ``track`` takes the bundle."""

from __future__ import annotations

import socket
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import ExportError
from edge_ttvos.targets import deploy as deploying
from edge_ttvos.targets import real_data
from edge_ttvos.targets.base import find_target

ENGINE = "onnxruntime"


def arguments(checkpoint: Path, out: Path) -> list[str]:
    return [
        "deploy",
        "--target",
        "host",
        "--engine",
        ENGINE,
        "--model",
        str(checkpoint),
        "--out",
        str(out),
    ]


def test_a_bundle_is_made_and_tracks(
    call: Any, checkpoint: Path, clip: Path, tmp_path: Path
) -> None:
    pytest.importorskip(ENGINE)
    out = tmp_path / "bundle"
    done = call(*arguments(checkpoint, out), "--threads", "1", "--json", "-")
    assert done.code == 0, done.err
    record = done.json
    assert record["complete"] is True
    assert (record["engine"], record["bundle"]) == (ENGINE, str(out))
    assert Path(record["archive"]).stat().st_size == record["archive_bytes"]
    assert record["selftest"][0]["ok"] is True
    assert record["protocol"]["engine_version"] == metadata.version(ENGINE)
    (parity,) = record["parity"]
    assert parity["J"]["reference"] == pytest.approx(1, abs=0.01)
    assert "self-test passed" in done.err
    for place in (out, out.with_name("bundle.ettvos")):
        followed = call(
            "track", clip, "--box", "8,8,24,24", "--model", place, "--out", tmp_path / place.suffix
        )
        assert followed.code == 0, followed.err
    again = call(*arguments(checkpoint, out))
    assert (again.code, "--overwrite" in again.complaint) == (1, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--target", "toaster"], "there is no target 'toaster'; known: coral, host"),
        (["--engine", "torch"], "got --engine torch"),
        (["--model", "none"], "there is no model 'none'"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(
    change: list[str], message: str, call: Any, checkpoint: Path, tmp_path: Path
) -> None:
    done = call(*arguments(checkpoint, tmp_path / "out"), *change)
    assert done.code == 1
    assert message in done.complaint
    assert list(tmp_path.iterdir()) == []


def test_the_float_model_is_scored_at_the_targets_size(
    call: Any, checkpoint: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    def scores(checkpoint: Any, size: tuple[int, int], *rest: Any) -> None:
        raise ExportError(f"scored at {size}")

    monkeypatch.setattr(real_data, "evaluation_part", lambda root: root)
    monkeypatch.setattr(real_data, "real_clips", lambda root: ())
    monkeypatch.setattr(real_data, "float_scores", scores)
    monkeypatch.setattr(deploying, "deploy", lambda order, out, score, listen: score(listen))
    options = ("--target", "coral", "--model", checkpoint, "--data", tmp_path)

    done = call("deploy", *options, "--out", tmp_path / "out")

    assert f"scored at {find_target('coral').sizes[0]}" in done.complaint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rollback"], "--rollback"),
        (["--to", "pi@host"], "--target"),
        (["--to", "pi@host", "--target", "host"], "--out"),
        (["--out", "x"], "--target"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(
    options: list[str], message: str, call: Any
) -> None:
    done = call("deploy", *options)
    assert done.code == 2
    assert message in done.err


def test_a_board_is_asked_before_anything_is_made(
    call: Any, checkpoint: Path, tmp_path: Path
) -> None:
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        to = f"pi@127.0.0.1:{closed.getsockname()[1]}"
        done = call(*arguments(checkpoint, tmp_path / "out"), "--to", to)
    assert done.code == 1
    assert "not to SSH on this port" in done.complaint or "openssh-client" in done.complaint
    assert list(tmp_path.iterdir()) == []
    assert call("deploy", "--to", "pi@-oProxyCommand=x", "--rollback").code == 1


def test_a_mistyped_size_is_a_usage_error(call: Any, checkpoint: Path, tmp_path: Path) -> None:
    assert call(*arguments(checkpoint, tmp_path / "out"), "--size", "big").code == 2
