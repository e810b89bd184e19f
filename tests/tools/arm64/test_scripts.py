"""What of the shell scripts can be tested without emulation."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

NAMES = ("deploy", "enter", "mounts", "run", "userland")


def bash(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run bash with these arguments."""
    return subprocess.run(
        ["bash", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_script_is_tested(scripts: Path) -> None:
    assert {path.stem for path in scripts.glob("*.sh")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_parses_and_can_be_started(scripts: Path, name: str) -> None:
    script = scripts / f"{name}.sh"

    parsed = bash("-n", script)

    assert (parsed.returncode, parsed.stderr) == (0, "")
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in script.read_text().splitlines()


def test_another_board_is_refused(scripts: Path, tmp_path: Path) -> None:
    done = bash(scripts / "enter.sh", tmp_path, tmp_path, "true", BOARD="pi3")

    assert done.returncode == 1
    assert "BOARD=pi4 or BOARD=pi5, got BOARD=pi3" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_userland_that_is_there_is_kept(scripts: Path, tmp_path: Path) -> None:
    userland = tmp_path / "bookworm"
    userland.mkdir()
    (userland / "etc").write_text("kept")

    done = bash(scripts / "userland.sh", "bookworm", userland)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["bookworm"]
    assert (userland / "etc").read_text() == "kept"


def test_only_one_run_uses_a_folder(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with (tmp_path / "lock").open("w") as file:
        held = ["flock", "--nonblock", str(file.fileno())]
        subprocess.run(held, pass_fds=[file.fileno()], check=True)

        done = bash(scripts / "run.sh", tmp_path)

    assert done.returncode == 1
    assert "another run uses" in done.stderr
