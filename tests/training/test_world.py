from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from edge_ttvos.training.world import ALONE, World, joined_world

SCRIPT = Path(__file__).with_name("two_processes.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*command: str) -> None:
    """A subprocess that reaches no further than this machine."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What two processes of two clips each learnt, and one of four clips."""
    two, one = tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("one")
    where = ("--master-addr", "127.0.0.1", "--master-port", str(free_port()))
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node", "2", *where)
    run(*torchrun, str(SCRIPT), "4", str(two))
    run(str(SCRIPT), "4", str(one))
    found = {}
    for recipe in ("frozen", "trained"):
        for name, path in (("rank 0", two / f"{recipe}-0.pt"), ("rank 1", two / f"{recipe}-1.pt")):
            found[f"{recipe}, {name}"] = torch.load(path)
        found[f"{recipe}, alone"] = torch.load(one / f"{recipe}-0.pt")
    assert (two / "frozen" / "model.safetensors").exists()
    return found


def tensors(state: dict[str, Any]) -> dict[str, Tensor]:
    parts = {
        f"{part}.{key}": value
        for part in ("network", "heads", "average")
        for key, value in state[part].items()
    }
    slots = {
        f"optimizer.{index}.{key}": value
        for index, values in state["optimizer"]["state"].items()
        for key, value in values.items()
    }
    return {**parts, **slots}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["frozen", "trained"])
def test_all_processes_learn_the_same(learnt: dict[str, Any], recipe: str) -> None:
    """Parameters, statistics, averages and odds, bit for bit."""
    first, second = learnt[f"{recipe}, rank 0"], learnt[f"{recipe}, rank 1"]
    other = tensors(second)
    unequal = [key for key, value in tensors(first).items() if not torch.equal(value, other[key])]
    assert unequal == []
    assert first["difficulty"] == second["difficulty"]
    assert bool(first["difficulty"]["running"]) is (recipe == "trained")


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_with_twice_the_clips(learnt: dict[str, Any]) -> None:
    """The optimizer's mean gradient, which the sums' order alone may change."""
    alone, many = tensors(learnt["frozen, alone"]), tensors(learnt["frozen, rank 0"])
    compared = [key for key in alone if key.endswith(".exp_avg")]
    assert len(compared) > 100
    for key in compared:
        scale = float(alone[key].abs().max())
        torch.testing.assert_close(many[key], alone[key], rtol=1e-3, atol=1e-3 * scale + 1e-9)


def test_alone_there_is_nothing_to_agree_on() -> None:
    mean = torch.tensor([3.0])
    ALONE.average([mean])
    assert mean.item() == 3.0
    assert ALONE.gathered("a") == ["a"]
    assert (ALONE.agreed(True), ALONE.agreed(False)) == (True, False)
    ALONE.wait()
    assert ALONE.first
    assert not World(rank=1, size=2).first


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(key, raising=False)
    with joined_world() as world:
        assert (world.rank, world.size) == (0, 1)
        assert not torch.distributed.is_initialized()
