from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from edge_ttvos.network import complexity
from edge_ttvos.network.complexity import (
    TABLE_1,
    Complexity,
    Cost,
    measure,
    part_table,
    reference_tables,
)
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.ttvos import TTVOS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "complexity.md"

SWITCHED = [PRESETS["release"].without(s) for s in ("long_term", "short_term", "update")]
EVERY = [pytest.param(config, id=config.name) for config in (*PRESETS.values(), *SWITCHED)]


def convolutions(network: nn.Module) -> list[tuple[str, int]]:
    """Hooks on each convolution, which fill the list: its name and its MACs worked out by hand."""
    counted: list[tuple[str, int]] = []

    def watch(name: str, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            # a convolution's every output, a transposed one's every input meets the whole kernel
            pixels = inputs[0] if isinstance(conv, nn.ConvTranspose2d) else output
            height, width = pixels.shape[-2:]
            channels = conv.in_channels * conv.out_channels // conv.groups
            kernel = conv.kernel_size[0] * conv.kernel_size[1]
            counted.append((name, height * width * channels * kernel))

        conv.register_forward_hook(count)

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            watch(name, module)
    return counted


def by_hand(config: NetworkConfig, height: int, width: int) -> dict[str, int]:
    """MACs of the convolutions of a frame but the first, by the first two parts of their name."""
    with torch.device("meta"):
        network = TTVOS(config).eval()
        counted = convolutions(network)
        pixels = torch.empty(1, 3, height, width)
        features = network.encode(pixels)
        network.step(features, network.start(features, pixels[:, 0]))
    sums: dict[str, int] = {}
    for name, macs in counted:
        part, branch = name.split(".")[:2]
        key = f"embedding.{branch}" if part == "embedding" and branch in "fgqs8" else part
        sums[key] = sums.get(key, 0) + macs
    return sums


@pytest.mark.parametrize("config", EVERY)
def test_convolutions_equal_a_count_by_hand(config: NetworkConfig) -> None:
    want, got = by_hand(config, 48, 80), measure(config, 48, 80)
    assert got.encoder.macs == want["backbone"]
    assert got.short_term.macs == want["short_term"]
    assert got.decoder.macs == want["decoder"]
    if config.long_term:
        assert got.embed_update.macs == want["embedding.f"] + want["embedding.g"]
        assert got.embed_read.macs == want["embedding.q"]
        assert got.embed_s8.macs == want["embedding.s8"]
        assert got.similarity.macs == want["similarity"]
    else:
        assert got.embed_s8.macs == want["embedding"]
        assert got.embed_update == got.embed_read == got.similarity == Cost()


@pytest.mark.parametrize("config", EVERY)
def test_matrix_products(config: NetworkConfig) -> None:
    """f gᵀ and TP q are 32 × 32 times the pixels at 1/8; a frozen template reads only."""
    product = 32 * 32 * (48 // 8) * (80 // 8)
    cost = measure(config, 48, 80)
    updates = config.long_term and config.update != "frozen"
    assert cost.update == Cost(macs=product if updates else 0)
    assert cost.read == Cost(macs=product if config.long_term else 0)


@pytest.mark.parametrize("config", EVERY)
def test_the_parts_are_the_whole(config: NetworkConfig) -> None:
    cost = measure(config, 48, 80)
    with torch.device("meta"):
        network = TTVOS(config).eval()
        pixels = torch.empty(1, 3, 48, 80)
        features = network.encode(pixels)
        _, state = network.step(features, network.start(features, pixels[:, 0]))
        with FlopCounterMode(display=False) as counter:
            network.step(network.encode(pixels), state)
    assert cost.total.macs == counter.get_total_flops() // 2
    assert cost.total.parameters == sum(p.numel() for p in network.parameters())
    parts = [getattr(cost, name) for name in Complexity.__dataclass_fields__]
    assert cost.total == sum(parts, Cost())
    assert cost.rest == sum(parts[1:], Cost())


def test_cost_is_proportional_to_pixels() -> None:
    """But for the s32 branch, whose sides are rounded up where 32 does not divide them."""
    small, large = (measure(PRESETS["paper"], *size) for size in ((64, 96), (128, 192)))
    assert large.total.macs == 4 * small.total.macs


@pytest.mark.parametrize("size", [(240, 430), (0, 432), (-16, 432)])
def test_a_size_that_no_graph_has_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 16"):
        measure(PRESETS["paper"], *size)


def test_the_update_agrees_with_the_papers_table_1() -> None:
    cost = measure(PRESETS["paper"], 480, 864)
    gmac = {group.name: group.macs(cost) / 1e9 for group in TABLE_1}
    assert round(gmac["Update: f, g, f gᵀ"], 2) == 0.06
    readings = [macs for name, macs in gmac.items() if name.startswith("Seg")]
    assert min(readings) < 5.29 < max(readings)
    assert gmac["Whole frame"] == pytest.approx(5.479, abs=0.001)


def test_the_page_shows_what_the_code_counts() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in reference_tables():
        assert table.markdown() in page


def test_a_part_table_has_a_row_for_each_part() -> None:
    table = part_table(PRESETS["release"])
    assert [row[0] for row in table.rows] == [*Complexity.__dataclass_fields__, "rest", "total"]
    cost = measure(PRESETS["release"], 480, 864)
    assert table.rows[0] == (
        "encoder",
        f"{cost.encoder.parameters:,}",
        "1,256.67",
        f"{cost.encoder.macs / 1e6:,.2f}",
    )


def test_the_command_on_the_page_prints_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"python -m {complexity.__name__}\n" in PAGE.read_text(encoding="utf-8")
    runpy.run_path(complexity.__file__, run_name="__main__")
    printed = capsys.readouterr().out
    assert printed == "\n".join(table.markdown() for table in reference_tables())
