from __future__ import annotations

import hashlib
import json
import random
import resource
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from edge_ttvos.errors import ModelError, OutputError
from edge_ttvos.network.checkpoint import load_checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.ttvos import TTVOS

FullDisk = Callable[[], AbstractContextManager[None]]
MakeNetwork = Callable[..., TTVOS]

SIZE = (240, 432)
ORIGIN = {"recipe": {"name": "tiny", "stages": [{"size": [32, 48]}]}, "step": 7, "hours": 0.5}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    save_checkpoint(path, TTVOS(PRESETS["release"]), SIZE, ORIGIN)
    return path.read_bytes()


@pytest.fixture
def saved(tmp_path: Path, original: bytes) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(original)
    return path


def refused(path: Path, says: str = "") -> str:
    """The one-line message that names the file."""
    with pytest.raises(ModelError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message
    assert says in message
    assert "\n" not in message
    return message


def rewrite(path: Path, weights: dict[str, Tensor] | None = None, **metadata: str | None) -> None:
    """The same file with other tensors or other header fields; None leaves a field out."""
    header = {
        "schema": "1",
        "config": json.dumps(asdict(PRESETS["release"])),
        "size": json.dumps(SIZE),
        "origin": json.dumps(ORIGIN),
        **metadata,
    }
    kept = {key: value for key, value in header.items() if value is not None}
    save_file(load_file(path) if weights is None else weights, path, kept)


@pytest.mark.parametrize(
    "config",
    [*PRESETS.values(), PRESETS["paper"].without("long_term"), NetworkConfig(name="mine")],
    ids=lambda config: config.name,
)
def test_a_round_trip_keeps_every_bit(
    config: NetworkConfig, tmp_path: Path, make_network: MakeNetwork
) -> None:
    path = tmp_path / "model.safetensors"
    network = make_network(config).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    save_checkpoint(path, network, SIZE, ORIGIN)
    loaded = load_checkpoint(path)
    want, got = network.state_dict(), loaded.network.state_dict()
    assert list(got) == list(want)
    assert all(torch.equal(got[key], want[key]) for key in want)
    assert all(got[key].dtype == want[key].dtype for key in want)
    assert (loaded.network.config, loaded.size, loaded.origin) == (config, SIZE, ORIGIN)
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not any(module.training for module in loaded.network.modules())
    frame = 255 * torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        for ours, theirs in zip(
            loaded.network.encode(frame), network.eval().encode(frame), strict=True
        ):
            torch.testing.assert_close(ours, theirs)


def test_the_file_holds_the_inference_weights_alone(saved: Path) -> None:
    assert saved.stat().st_size < 4 * 1.7e6
    assert not any("transition" in key for key in load_file(saved))
    assert sorted(path.name for path in saved.parent.iterdir()) == [saved.name]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors", "No such file")
    refused(tmp_path, "directory")


def test_a_file_that_is_cut_off_anywhere(saved: Path) -> None:
    whole = saved.read_bytes()
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    places = {0, 1, 7, 8, 9, header - 1, header, header + 1, len(whole) - 1}
    places |= {header * n // 9 for n in range(9)} | {len(whole) * n // 13 for n in range(13)}
    for length in sorted(places):
        saved.write_bytes(whole[:length])
        refused(saved)


def test_a_file_with_bytes_to_spare(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"\0")
    refused(saved)


def test_random_bytes(tmp_path: Path) -> None:
    path, source = tmp_path / "model.safetensors", random.Random(0)
    for length in [*range(0, 40, 3), 1000, 100_000]:
        path.write_bytes(source.randbytes(length))
        refused(path)
    claim = struct.pack("<Q", 2**62) + source.randbytes(100)  # a header of four exbibytes
    path.write_bytes(claim)
    refused(path)


def test_random_damage_in_the_header(saved: Path) -> None:
    """Refused, or harmless: the name of the configuration or the origin may change unseen."""
    whole, source = saved.read_bytes(), random.Random(0)
    want = load_checkpoint(saved).network.state_dict()
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[source.randrange(header)] = source.randrange(256)
        saved.write_bytes(damaged)
        try:
            loaded = load_checkpoint(saved)
        except ModelError as error:
            assert str(saved) in str(error)  # noqa: PT017
            outcomes.add("refused")
        else:
            got = loaded.network.state_dict()
            assert all(got[key].shape == want[key].shape for key in want)
            outcomes.add("loaded")
    assert "refused" in outcomes


def test_a_pickle_is_not_a_checkpoint(tmp_path: Path, make_network: MakeNetwork) -> None:
    path = tmp_path / "model.safetensors"
    torch.save(make_network(PRESETS["paper"]).state_dict(), path)
    refused(path, "not a safetensors file")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"schema": "2"}, "schema 2"),
        ({"schema": None}, "schema none"),
        ({"config": None}, "config"),
        ({"size": None}, "size"),
        ({"origin": None}, "origin"),
        ({"config": "{"}, "header"),
        ({"config": "null"}, "header"),
        ({"config": "[" * 100_000}, "header"),
        ({"size": "[240]"}, "header"),
        ({"size": "[0, 432]"}, "header"),
        ({"size": "[240, -432]"}, "header"),
        ({"size": "[240, 1e999]"}, "header"),
        ({"size": "null"}, "header"),
        ({"origin": "3"}, "header"),
        ({"origin": "{"}, "header"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_unusable_header(saved: Path, header: dict[str, str | None], says: str) -> None:
    rewrite(saved, **header)
    refused(saved, says)


@pytest.mark.parametrize(
    "change",
    [
        {"mask_history": 0},
        {"mask_history": "3"},
        {"mask_history": 2.5},
        {"mask_history": 10**12},  # more than any memory holds
        {"mask_history": 10**30},
        {"channels_per_group": 0},
        {"channels_per_group": -4},
        {"template_channels": 0},
        {"template_channels": -32},
        {"coordinates": "no"},
        {"update": "newest"},
        {"update": ["weighted"]},
        {"flavour": 1},
    ],
    ids=str,
)
def test_a_network_that_cannot_be(saved: Path, change: dict[str, Any]) -> None:
    rewrite(saved, config=json.dumps({**asdict(PRESETS["release"]), **change}))
    refused(saved)


def test_a_header_cannot_claim_memory(saved: Path) -> None:
    """100,000 masks would be 0.35 GB of weights, which the file does not hold."""
    rewrite(saved, config=json.dumps({**asdict(PRESETS["release"]), "mask_history": 100_000}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(saved, "misshapen tensor")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (PRESETS["paper"], "unknown tensor decoder.update_weight"),
        (PRESETS["release"].without("long_term"), "lacks tensor embedding.body"),
        (PRESETS["release"].without("short_term"), "misshapen tensor short_term.compare"),
        (NetworkConfig(mask_history=2), "misshapen tensor"),
        (NetworkConfig(coordinates=False), "misshapen tensor"),
    ],
    ids=["paper", "no-long-term", "no-short-term", "mask-history", "coordinates"],
)
def test_weights_of_another_configuration(saved: Path, config: NetworkConfig, says: str) -> None:
    rewrite(saved, config=json.dumps(asdict(config)))
    refused(saved, says)


def test_missing_extra_and_misshapen_tensors_are_named(saved: Path) -> None:
    name, weights = "decoder.merge8.0.weight", load_file(saved)
    for damaged, says in (
        ({key: value for key, value in weights.items() if key != name}, f"lacks tensor {name} (1 "),
        ({**weights, "more": torch.zeros(1)}, "unknown tensor more (1 "),
        ({**weights, name: weights[name][:1].clone()}, f"misshapen tensor {name} (1 "),
        ({**weights, name: weights[name].half()}, f"mistyped tensor {name} (1 "),
        ({**weights, name: weights[name] * float("nan")}, f"NaN or infinity in tensor {name} (1 "),
        ({}, "lacks tensor"),
    ):
        rewrite(saved, damaged)
        refused(saved, says)


def test_a_full_disk_leaves_no_file(
    tmp_path: Path, make_network: MakeNetwork, full_disk: FullDisk
) -> None:
    path = tmp_path / "model.safetensors"
    with full_disk(), pytest.raises(OutputError, match=str(path)):
        save_checkpoint(path, make_network(PRESETS["release"]), SIZE, ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(
    saved: Path, make_network: MakeNetwork, full_disk: FullDisk
) -> None:
    before = saved.read_bytes()
    with full_disk(), pytest.raises(OutputError, match=str(saved)):
        save_checkpoint(saved, make_network(PRESETS["release"], seed=1), SIZE, ORIGIN)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_folder_that_is_not_there(tmp_path: Path, make_network: MakeNetwork) -> None:
    path = tmp_path / "none" / "model.safetensors"
    with pytest.raises(OutputError, match=str(path)):
        save_checkpoint(path, make_network(PRESETS["paper"]), SIZE, ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_replaces_the_old_one(saved: Path, make_network: MakeNetwork) -> None:
    save_checkpoint(saved, make_network(PRESETS["paper"]), (96, 160), {})
    loaded = load_checkpoint(saved)
    assert (loaded.network.config, loaded.size) == (PRESETS["paper"], (96, 160))
    assert list(saved.parent.iterdir()) == [saved]
