"""A real bundle over a real OpenSSH: a virtual environment, pip, self-test, bench, doctor.

The would-be board sees the packages of these tests by PYTHONPATH, so that pip finds all that is
required there and needs no network; the runtime's wheel it installs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge_ttvos.cli.app import app
from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.remote import send as sending
from edge_ttvos.targets.remote.connection import Connection, Event
from edge_ttvos.targets.remote.send import send

ENGINE = "onnxruntime"
MOMENTS = (
    *(f"install.sh: {step}/4" for step in (1, 2)),
    "Requirement already satisfied: numpy",
    *(f"install.sh: {step}/4" for step in (3, 4)),
    '{"size"',
    "installed: ",
)
OURS = ("edge_ttvos", "__editable__", "pip")


@pytest.fixture
def bundle(deployed: Callable[[str, Path], Path], checkpoint: Callable[[str], Path]) -> Path:
    pytest.importorskip(ENGINE)
    return deployed(ENGINE, checkpoint("release"))


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """All that these tests import from but edge-ttvos itself, as links in one folder."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for site in (Path(entry) for entry in sys.path if entry.endswith("site-packages")):
        for path in site.iterdir():
            if not path.name.startswith(OURS) and not (folder / path.name).exists():
                (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def server(serve: Any, packages: Path, tmp_path: Path) -> Any:
    programs = tmp_path / "python"
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    return serve(
        {
            "PATH": f"{programs}:/usr/bin:/bin",
            "PYTHONPATH": str(packages),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "OMP_NUM_THREADS": "1",
        }
    )


def on_the_board(packages: Path, *command: object) -> None:
    """Run a command as the board's user would."""
    environment = {**os.environ, "PYTHONPATH": str(packages), "OMP_NUM_THREADS": "1"}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, env=environment, cwd=packages.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_bundle_runs_tests_and_measures_itself_on_the_board(
    bundle: Path, server: Any, packages: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "mine.ettvos"
    archive.write_bytes(bundle.with_name(f"{bundle.name}.ettvos").read_bytes())

    options = ["--model", str(archive), "--to", str(server.address), "--json", "-"]
    done = CliRunner().invoke(app, ["deploy", *options])

    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)["remote"]
    assert [run["ok"] for run in answer["selftest"]] == [True]
    assert answer["bench"]["protocol"]["dataset"] == "golden clip"
    assert answer["bench"]["fps"]["end_to_end"] > 0
    assert answer["bench"]["J&F"] is None
    assert answer["doctor"]["can_track"] is True, answer["doctor"]["checks"]
    assert set(answer["seconds"]) == {"connect", "copy", "install", "measure", "switch"}
    report = json.loads((tmp_path / "mine.board.json").read_text())
    assert report["live"] == answer["live"]

    live = server.place / "current"
    track = ["track", live / "bundle" / "golden" / "48x80", "--box", "100,80,120,90"]
    out = tmp_path / "out"
    on_the_board(
        packages, live / "venv/bin/edge-ttvos", *track, "--model", live / "bundle", "--out", out
    )
    assert len(list((out / "masks").iterdir())) == 12


@pytest.mark.soak
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_real_installation_killed_at_every_step(
    moment: str, bundle: Path, server: Any, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as the board tells of environment, pip, runtime, self-test, or its result."""
    archive = bundle.with_name(f"{bundle.name}.ettvos")
    live = send(server.address, archive).standing.live

    class Mortal(Connection):
        def event(self) -> Event:
            event = super().event()
            if str(event.get("text", "")).startswith(moment):
                self.process.kill()
            return event

    monkeypatch.setattr(sending, "Connection", Mortal)
    with pytest.raises(RemoteError, match="dropped; the board runs what it ran before"):
        send(server.address, archive)
    server.settle()
    current = server.place / "current"
    assert os.readlink(current) == f"releases/{live}"
    assert [path.name for path in (server.place / "releases").iterdir()] == [live]
    module = ["-m", "edge_ttvos.firmware_bridge", "selftest"]
    on_the_board(packages, current / "venv/bin/python", *module, current / "bundle")
