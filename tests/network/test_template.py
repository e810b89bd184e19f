"""Equations (1) to (3) and both update rules, against NumPy written from the paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch import nn

from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.template import (
    MaskedFeatures,
    TemplateEmbedding,
    average_update,
    branch,
    coordinate_maps,
    embedding_matrix,
    read_template,
    weighted_update,
)

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]


def paper_embedding(f: Array, g: Array, scale: float = 1.0) -> Array:
    """I = σ(f × gᵀ), σ a softmax by rows; f and g are (c, H, W), reshaped to c × HW."""
    c = len(f)
    matrix = np.empty((c, c))
    for i in range(c):
        row = np.array([np.sum(f[i] * g[j]) for j in range(c)]) / scale
        powers = np.exp(row - row.max())
        matrix[i] = powers / powers.sum()
    return matrix


def paper_read(template: Array, q: Array) -> Array:
    """A = TP × q: each row of the template against each pixel's query vector."""
    c, height, width = q.shape
    attention = np.empty_like(q)
    for y in range(height):
        for x in range(width):
            for i in range(c):
                attention[i, y, x] = np.sum(template[i] * q[:, y, x])
    return attention


@st.composite
def maps(draw: st.DrawFn, count: int) -> list[Float32]:
    """``count`` maps (b, c, h, w) of one shape."""
    shape = draw(st.tuples(*(st.integers(1, n) for n in (2, 5, 6, 5))))
    values = st.floats(-3, 3, width=32)
    return [draw(arrays(np.float32, shape, elements=values)) for _ in range(count)]


@st.composite
def templates(draw: st.DrawFn, count: int) -> list[Float32]:
    """``count`` matrices (b, c, c) of one shape with rows that sum to one."""
    batch, c = draw(st.tuples(st.integers(1, 3), st.integers(1, 5)))
    values = st.floats(0.015625, 1, width=32)
    drawn = [draw(arrays(np.float32, (batch, c, c), elements=values)) for _ in range(count)]
    return [matrix / matrix.sum(axis=2, keepdims=True) for matrix in drawn]


def assert_close(got: torch.Tensor, want: Array | Float32, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-4, atol=atol)


@given(maps(2), st.booleans())
def test_equation_1(pair: list[Float32], scaled: bool) -> None:
    f, g = pair
    got = embedding_matrix(torch.from_numpy(f), torch.from_numpy(g), scaled)
    scale = np.sqrt(f.shape[2] * f.shape[3]) if scaled else 1.0
    want = [paper_embedding(*row, scale) for row in zip(f.astype(float), g.astype(float))]  # noqa: B905
    assert_close(got, np.stack(want))
    assert_close(got.sum(dim=2), np.ones(f.shape[:2]))


@given(templates(2), st.integers(1, 10_000))
def test_equation_2(pair: list[Float32], t: int) -> None:
    previous, embedding = pair
    got = average_update(torch.from_numpy(previous), torch.from_numpy(embedding), t)
    assert_close(got, (t - 1) / t * previous.astype(float) + 1 / t * embedding.astype(float))


@given(templates(5))
def test_equation_2_makes_the_mean_of_all_embeddings(embeddings: list[Float32]) -> None:
    template = torch.full_like(torch.from_numpy(embeddings[0]), 99.0)  # t = 1 forgets it
    for t, embedding in enumerate(embeddings, start=1):
        template = average_update(template, torch.from_numpy(embedding), t)
    assert_close(template, np.mean(embeddings, axis=0))


@given(templates(2), st.data())
def test_the_weighted_rule_is_a_convex_step_of_w_over_1_plus_w(
    pair: list[Float32], data: st.DataObject
) -> None:
    previous, embedding = pair
    weights = st.floats(0, 1, width=32)
    w = data.draw(arrays(np.float32, len(previous), elements=weights))
    got = weighted_update(*(torch.from_numpy(a) for a in (previous, embedding, w)))
    step = (w / (1 + w))[:, None, None]
    assert_close(got, previous + step * (embedding - previous))
    assert_close(got.sum(dim=2), np.ones(previous.shape[:2]))


def test_each_object_steps_by_its_own_weight() -> None:
    previous, embedding = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    got = weighted_update(previous, embedding, torch.tensor([0.0, 1.0, 0.25]))
    assert_close(got[:, 0, 0], np.array([0, 0.5, 0.2]))


@given(maps(1), st.data())
def test_equation_3(single: list[Float32], data: st.DataObject) -> None:
    q = single[0]
    batch, c = q.shape[:2]
    template = data.draw(arrays(np.float32, (batch, c, c), elements=st.floats(-2, 2, width=32)))
    got = read_template(torch.from_numpy(template), torch.from_numpy(q))
    pairs = zip(template.astype(float), q.astype(float), strict=True)
    assert_close(got, np.stack([paper_read(*pair) for pair in pairs]))


def test_coordinates_run_from_minus_one_to_one_with_the_radius() -> None:
    x, y, radius = coordinate_maps(3, 5)[0].numpy()
    np.testing.assert_allclose(x, [[-1, -0.5, 0, 0.5, 1]] * 3)
    np.testing.assert_allclose(y, [[-1] * 5, [0] * 5, [1] * 5])
    np.testing.assert_allclose(radius[:, [0, 2, 4]], np.sqrt([[2, 1, 2], [1, 0, 1], [2, 1, 2]]))


def test_a_branch_is_pointwise_then_grouped_5x5_then_leaky() -> None:
    point, group, leak = branch(34, PRESETS["paper"])
    assert isinstance(point, nn.Conv2d)
    assert (point.in_channels, point.out_channels, point.kernel_size) == (34, 32, (1, 1))
    assert isinstance(group, nn.Conv2d)
    assert (group.kernel_size, group.groups) == ((5, 5), 8)  # four channels a group
    assert torch.equal(leak(torch.tensor([-1.0, 2.0])), torch.tensor([-0.2, 2.0]))


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
@torch.inference_mode()
def test_f_and_g_see_the_frame_before_q_and_s8_the_frame_now(config: NetworkConfig) -> None:
    embed = TemplateEmbedding(config)
    before, now, other = torch.randn(3, 1, 32, 6, 9)
    masks = torch.rand(1, config.mask_channels, 6, 9)
    coordinates = coordinate_maps(6, 9)[:, : config.coordinate_channels]
    s8, (f, g, q) = embed(before, masks, now, coordinates)
    s8_same, (f_moved, g_moved, q_same) = embed(other, masks, now, coordinates)
    s8_moved, (f_same, g_same, q_moved) = embed(before, masks, other, coordinates)
    for want, same, moved in (
        (s8, s8_same, s8_moved),
        (f, f_same, f_moved),
        (g, g_same, g_moved),
        (q, q_same, q_moved),
    ):
        assert torch.equal(want, same)
        assert not torch.equal(want, moved)
    for changed in embed(before, 1 - masks, now, coordinates)[1]:
        assert not any(torch.equal(changed, kept) for kept in (f, g, q))  # all hear of the masks


@torch.inference_mode()
def test_without_long_term_matching_the_frame_before_is_not_seen() -> None:
    config = PRESETS["release"].without("long_term")
    embed = MaskedFeatures(config).eval()
    now, before, other = torch.randn(3, 1, 32, 6, 9)
    masks = torch.rand(1, config.mask_channels, 6, 9)
    coordinates = coordinate_maps(6, 9)
    s8, embedding = embed(before, masks, now, coordinates)
    assert embedding is None
    assert torch.equal(s8, embed(other, masks, now, coordinates)[0])
    assert not torch.equal(s8, embed(before, masks, other, coordinates)[0])
    assert not torch.equal(s8, embed(before, 1 - masks, now, coordinates)[0])


def test_the_average_is_float32_under_autocast() -> None:
    f, g = torch.rand(2, 1, 4, 6, 8).unbind()
    with torch.autocast("cpu", torch.bfloat16):
        matrix = embedding_matrix(f, g, scaled=True)
        template = average_update(matrix, embedding_matrix(g, f, scaled=True), 2)

    assert (matrix.dtype, template.dtype) == (torch.float32, torch.float32)
