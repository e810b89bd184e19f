from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS

TOOL = Path(__file__).parents[2] / "tools" / "mix_weights.py"


def made(path: Path, seed: int, network: str = "release") -> Checkpoint:
    torch.manual_seed(seed)
    save_checkpoint(path, TTVOS(PRESETS[network]), (32, 48), {})
    return load_checkpoint(path)


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, TOOL, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_mean_of_two_models_with_a_softer_template(tmp_path: Path) -> None:
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    first, second = (made(file, seed) for seed, file in enumerate(files))
    done = call("--model", files[0], "--model", files[1], "--soften", 0.5, "--out", tmp_path / "m")
    assert done.returncode == 0, done.stderr
    mixed = load_checkpoint(tmp_path / "m")
    assert mixed.size == first.size
    assert mixed.origin == {"mean_of": [first.sha256, second.sha256], "soften": 0.5}
    one, other = first.network.state_dict(), second.network.state_dict()
    for name, value in mixed.network.state_dict().items():
        factor = 0.5 if name.startswith(("embedding.f.", "embedding.g.")) else 1.0
        factor = 0.25 if name in ("embedding.f.1.bias", "embedding.g.1.bias") else factor
        torch.testing.assert_close(value, (factor * (one[name] + other[name]) / 2).to(value))
    features = torch.randn(1, 32, 4, 6)
    masks, axes = torch.rand(1, 6, 4, 6), torch.rand(1, 3, 4, 6)
    plain = tmp_path / "plain"
    assert call("--model", files[0], "--model", files[1], "--out", plain).returncode == 0
    with torch.no_grad():
        _, soft = mixed.network.embedding(features, masks, features, axes)
        _, hard = load_checkpoint(plain).network.embedding(features, masks, features, axes)
    torch.testing.assert_close(soft.f, hard.f / 4)
    torch.testing.assert_close(soft.q, hard.q)


@pytest.mark.parametrize("other", ["paper", "nothing"])
def test_models_that_have_no_mean_are_refused(other: str, tmp_path: Path) -> None:
    made(tmp_path / "a.safetensors", 0)
    if other == "paper":
        made(tmp_path / "b.safetensors", 1, "paper")
    models = ("--model", tmp_path / "a.safetensors", "--model", tmp_path / "b.safetensors")
    done = call(*models, "--out", tmp_path / "m")
    assert done.returncode == 1
    assert ("of one network" if other == "paper" else "b.safetensors") in done.stderr
    assert not (tmp_path / "m").exists()
