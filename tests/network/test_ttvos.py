from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from edge_ttvos.network.complexity import measure
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.template import MaskedFeatures, embedding_matrix, read_template
from edge_ttvos.network.ttvos import TTVOS, State, heatmap, two_channels

MakeNetwork = Callable[..., TTVOS]

PAPER, RELEASE = PRESETS["paper"], PRESETS["release"]
SIZE = (48, 80)  # neither side is a multiple of 32

# Table 3, Exp1 to Exp3 and Exp5; Exp4 is another first mask, Exp6 the network itself
SWITCHED = [
    pytest.param(preset.without(switch), id=preset.without(switch).name)
    for preset in (PAPER, RELEASE)
    for switch in ("long_term", "short_term", "update")
]
EVERY = [
    *(pytest.param(preset, id=preset.name) for preset in PRESETS.values()),
    *SWITCHED,
]

pytestmark = pytest.mark.usefixtures("no_gradients")


@pytest.fixture
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def frames(count: int, seed: int = 0) -> Tensor:
    """(count, 1, 3, H, W)"""
    generator = torch.Generator().manual_seed(seed)
    return 255 * torch.rand(count, 1, 3, *SIZE, generator=generator)


def first_mask(top: int = 8, left: int = 16) -> Tensor:
    mask = torch.zeros(1, *SIZE)
    mask[:, top : top + 24, left : left + 24] = 1
    return mask


def follow(network: TTVOS, count: int, mask: Tensor | None = None) -> list[tuple[Tensor, State]]:
    """Logits and state after each of ``count`` frames that follow the given one."""
    first, *others = frames(count + 1)
    state = network.start(network.encode(first), first_mask() if mask is None else mask)
    passed = []
    for frame in others:
        output, state = network.step(network.encode(frame), state)
        passed.append((output.logits, state))
    return passed


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_in_a_box_the_object_is_found_by_a_step_over_the_same_frame(config: NetworkConfig) -> None:
    network = TTVOS(config).eval()
    features = network.encode(frames(1)[0])
    prior = 0.7 * first_mask()
    logits, state = network.start_in_box(features, prior)
    wanted, _ = network.step(features, network.start(features, prior))
    assert torch.equal(logits, wanted.logits)
    found = wanted.logits.softmax(dim=1)[:, 1] * (prior > 0)
    assert torch.equal(state.masks, network.start(features, found).masks)
    assert state.updates == 0
    assert state.template is None


def foreground(logits: Tensor) -> Tensor:
    return heatmap(logits.softmax(dim=1)[:, 1])


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_inference_parameters(config: NetworkConfig) -> None:
    learnt = sum(parameter.numel() for parameter in TTVOS(config).parameters())
    assert learnt == pytest.approx(1.60e6, rel=0.01)


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_macs_at_480x864(config: NetworkConfig) -> None:
    cost = measure(config, 480, 864)
    assert cost.encoder.macs == pytest.approx(4.99e9, rel=0.01)
    assert cost.rest.macs < 0.6e9


@pytest.mark.parametrize("config", EVERY)
def test_a_step_gives_logits_at_full_size_and_the_next_state(
    config: NetworkConfig, make_network: MakeNetwork
) -> None:
    (_, _), (logits, state) = follow(make_network(config), 2)
    assert logits.shape == (1, 2, *SIZE)
    assert state.masks.shape == (1, config.mask_channels, SIZE[0] // 8, SIZE[1] // 8)
    assert torch.isfinite(logits).all()
    if config.long_term:
        assert state.updates == 2
        assert state.template is not None
    assert (state.weight is not None) == (config.long_term and config.update == "weighted")


def test_a_heatmap_holds_means_of_8_by_8_pixels() -> None:
    mask = torch.zeros(1, 16, 24)
    mask[0, :8, :4] = 1
    mask[0, 8:, 16:] = 0.25
    want = torch.tensor([[0.5, 0, 0], [0, 0, 0.25]])
    assert torch.equal(heatmap(mask)[0], torch.stack([1 - want, want]))
    assert torch.equal(two_channels(want[None, None])[0], torch.stack([1 - want, want]))


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_the_first_mask_stands_in_for_the_whole_history(
    config: NetworkConfig, make_network: MakeNetwork
) -> None:
    network = make_network(config)
    features = network.encode(frames(1)[0])
    state = network.start(features, first_mask())
    assert state.features is features
    assert (state.template, state.weight, state.updates) == (None, None, 0)
    history = state.masks.split(2, dim=1)
    assert len(history) == config.mask_history
    assert all(torch.equal(masks, heatmap(first_mask())) for masks in history)


@pytest.mark.parametrize("config", EVERY)
def test_a_step_is_the_graphs_one_after_the_other(
    config: NetworkConfig, make_network: MakeNetwork
) -> None:
    """As a board runs them, on the second frame: features, masks and w of the frame before."""
    network = make_network(config)
    (_, before), _ = follow(network, 2)
    now = network.encode(frames(3)[2])
    output, after = network.step(now, before)
    modified_s8, embedding = network.embed(before.features.s8, before.masks, now.s8)
    attention = None
    if embedding is not None:
        template = network.update(before, embedding).template
        assert template is not None
        assert torch.equal(template, after.template)
        attention = read_template(template, embedding.q)
    want = network.decode(now, modified_s8, attention, before.features.s16, before.masks)
    assert torch.equal(output.logits, want.logits)
    assert torch.equal(output.similarity, want.similarity)
    if want.weight is not None:
        assert torch.equal(after.weight, want.weight)
        assert not torch.equal(after.weight, before.weight)


def test_masks_are_kept_newest_first(make_network: MakeNetwork) -> None:
    steps = follow(make_network(RELEASE), 4)
    seen = [heatmap(first_mask())] * 3
    for logits, state in steps:
        seen = [foreground(logits), *seen[:2]]
        assert torch.equal(state.masks, torch.cat(seen, dim=1))
    assert len({masks[:, 1].sum().item() for masks in seen}) == 3  # they differ: order counts


def test_paper_keeps_one_mask(make_network: MakeNetwork) -> None:
    (_, _), (logits, state) = follow(make_network(PAPER), 2)
    assert torch.equal(state.masks, foreground(logits))


def test_the_state_carries_this_frames_features(make_network: MakeNetwork) -> None:
    network = make_network(RELEASE)
    first, second = frames(2)
    now = network.encode(second)
    _, state = network.step(now, network.start(network.encode(first), first_mask()))
    assert state.features is now


def matrices(network: TTVOS, count: int) -> tuple[list[Tensor], list[State]]:
    """I of each frame by equation (1), from the frame before and its masks; states after."""
    shown = frames(count + 1)
    features = [network.encode(frame) for frame in shown]
    states = [state for _, state in follow(network, count)]
    masks = [network.start(features[0], first_mask()).masks, *(state.masks for state in states)]
    embeddings = []
    for t in range(1, count + 1):
        _, embedding = network.embed(features[t - 1].s8, masks[t - 1], features[t].s8)
        assert embedding is not None
        embeddings.append(embedding_matrix(embedding.f, embedding.g, network.config.scaled_softmax))
    return embeddings, states


def test_the_average_starts_as_i_and_becomes_the_mean(make_network: MakeNetwork) -> None:
    embeddings, states = matrices(make_network(PAPER), 3)
    assert torch.equal(states[0].template, embeddings[0])  # TP₁ = I
    for t, state in enumerate(states, start=1):
        assert state.updates == t
        torch.testing.assert_close(state.template, torch.stack(embeddings[:t]).mean(dim=0))
    assert not torch.allclose(embeddings[0], embeddings[2], atol=1e-3)


def test_the_weighted_template_steps_by_the_weight_of_the_frame_before(
    make_network: MakeNetwork,
) -> None:
    embeddings, states = matrices(make_network(RELEASE), 3)
    template = embeddings[0]
    assert torch.equal(states[0].template, template)  # TP₁ = I whatever w
    for (before, state), embedding in zip(pairwise(states), embeddings[1:], strict=True):
        w = before.weight.item()
        assert 0 < w < 1
        template = template + w / (1 + w) * (embedding - template)
        torch.testing.assert_close(state.template, template)
    assert not torch.allclose(embeddings[0], embeddings[2], atol=1e-3)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda config: config.name)
def test_frozen_keeps_the_first_template(preset: NetworkConfig, make_network: MakeNetwork) -> None:
    embeddings, states = matrices(make_network(preset.without("update")), 4)
    assert all(torch.equal(state.template, embeddings[0]) for state in states)
    assert not torch.equal(embeddings[0], embeddings[3])  # there was something to learn


@pytest.mark.parametrize("config", EVERY)
def test_a_switched_off_matching_does_not_look_back(
    config: NetworkConfig, make_network: MakeNetwork
) -> None:
    """s16 of the frame before is the short-term matching's alone, s8 the long-term matching's."""
    network = make_network(config)
    first, second, third = frames(3)
    _, state = network.step(
        network.encode(second), network.start(network.encode(first), first_mask())
    )
    now = network.encode(third)
    logits = network.step(now, state)[0].logits
    for field, looks_back in (
        ("s16", config.short_term),
        ("s8", config.long_term and config.update != "frozen"),
    ):
        maps = {field: torch.randn_like(getattr(state.features, field))}
        changed = replace(state, features=state.features._replace(**maps))
        same = torch.equal(network.step(now, changed)[0].logits, logits)
        assert same != looks_back, field
    other = replace(state, masks=1 - state.masks)
    assert not torch.equal(network.step(now, other)[0].logits, logits)  # the masks still count


def test_without_long_term_matching_there_is_no_template(make_network: MakeNetwork) -> None:
    network = make_network(RELEASE.without("long_term"))
    assert network.similarity is None
    assert isinstance(network.embedding, MaskedFeatures)
    assert all(state.template is None and state.updates == 0 for _, state in follow(network, 2))


def test_without_short_term_matching_nothing_is_compared(make_network: MakeNetwork) -> None:
    joined = {
        config.name: make_network(config).short_term.compare[0].in_channels
        for config in (RELEASE, RELEASE.without("short_term"))
    }
    assert joined == {"release": 32 + 192, "release-no-short-term": 32}


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_the_template_reaches_the_mask(config: NetworkConfig, make_network: MakeNetwork) -> None:
    network = make_network(config)
    (_, state), _ = follow(network, 2)
    now = network.encode(frames(3)[2])
    state = replace(state, updates=10**6, weight=None if state.weight is None else torch.zeros(1))
    logits = network.step(now, state)[0].logits
    other = replace(state, template=torch.eye(32)[None])
    assert not torch.allclose(network.step(now, other)[0].logits, logits)


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_rows_are_objects_that_do_not_hear_of_one_another(
    config: NetworkConfig, make_network: MakeNetwork
) -> None:
    network = make_network(config)
    first, second, third = (network.encode(frame) for frame in frames(3))
    pair = torch.cat([first_mask(), first_mask(top=16, left=40)])

    def rows(features: Features, count: int) -> Features:
        return Features(*(maps.expand(count, -1, -1, -1) for maps in features))

    state = network.start(rows(first, 2), pair)
    _, state = network.step(rows(second, 2), state)
    together = network.step(rows(third, 2), state)[0].logits
    for row, mask in enumerate(pair):
        alone = network.start(first, mask[None])
        _, alone = network.step(second, alone)
        torch.testing.assert_close(
            network.step(third, alone)[0].logits[0], together[row], rtol=1e-4, atol=1e-4
        )


def test_coordinates_are_kept_by_size_and_left_out_of_paper(make_network: MakeNetwork) -> None:
    network = make_network(RELEASE)
    for height, width in ((2, 3), (4, 2), (2, 3)):
        s8, masks = torch.randn(1, 32, height, width), torch.rand(1, 6, height, width)
        modified, _ = network.embed(s8, masks, s8)
        assert modified.shape[-2:] == (height, width)
    inputs = [make_network(config).embedding.f[0].in_channels for config in (PAPER, RELEASE)]
    assert inputs == [32 + 2, 32 + 6 + 3]


def test_only_the_weighted_rule_has_a_weight_to_learn(make_network: MakeNetwork) -> None:
    heads = {name: make_network(preset).decoder.update_weight for name, preset in PRESETS.items()}
    assert heads["paper"] is None
    assert isinstance(heads["release"], nn.Module)
