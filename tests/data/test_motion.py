from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.data.motion import (
    CAMERA,
    OBJECT,
    Motion,
    Pose,
    bend_maps,
    bends,
    placed_box,
    poses,
    sampling_maps,
    sampling_matrix,
)

STILL = Motion(shift=0.0, turn=0.0, growth=0.0, bend=0.0)
START = Pose(x=31.5, y=20.25, scale=1.5, angle=0.25)
SIZE = (48, 64)


def test_a_path_begins_at_its_start_and_goes_on_from_there() -> None:
    path = poses(np.random.default_rng(0), START, OBJECT, 6, 48)
    assert len(path) == 6
    assert path[0] == START
    assert len(set(path)) == 6
    assert all(pose.scale > 0 for pose in path)
    assert poses(np.random.default_rng(0), START, OBJECT, 1, 48) == [START]


def test_without_motion_nothing_moves() -> None:
    path = poses(np.random.default_rng(0), START, STILL, 5, 48)
    for pose in path:
        assert vars(pose) == pytest.approx(vars(START))


def test_equal_generators_give_equal_paths() -> None:
    first, second, other = (
        poses(np.random.default_rng(seed), START, OBJECT, 8, 48) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_taller_frame_moves_as_many_times_further_but_turns_alike() -> None:
    small, large = (poses(np.random.default_rng(3), START, OBJECT, 8, h) for h in (48, 96))
    for near, far in zip(small, large, strict=True):
        assert far.x - START.x == pytest.approx(2 * (near.x - START.x))
        assert far.y - START.y == pytest.approx(2 * (near.y - START.y))
        assert (far.scale, far.angle) == pytest.approx((near.scale, near.angle))


def test_a_camera_does_not_bend() -> None:
    assert bends(np.random.default_rng(0), CAMERA, 4, SIZE[0]) is None


def test_bends_grow_from_none_and_fit_the_frame() -> None:
    bent = 0
    for seed in range(12):
        drawn = bends(np.random.default_rng(seed), OBJECT, 5, SIZE[0])
        if drawn is None:
            continue
        bent += 1
        assert len(drawn) == 5
        assert (drawn[0] == 0).all()
        for field in (bend_maps(bend, SIZE) for bend in drawn[1:]):
            assert [part.shape for part in field] == [SIZE, SIZE]
            assert {part.dtype for part in field} == {np.dtype(np.float32)}
            assert all(0 < np.abs(part).max() < SIZE[0] / 2 for part in field)
    assert 4 <= bent < 12  # some clips bend, some do not


def test_unmoved_maps_are_the_pixel_grid() -> None:
    x, y = sampling_maps(Pose(10.0, 7.0, 1.0, 0.0), (10.0, 7.0), (3, 4))
    assert x.dtype == y.dtype == np.float32
    np.testing.assert_array_equal(x, [[0, 1, 2, 3]] * 3)
    np.testing.assert_array_equal(y, [[0] * 4, [1] * 4, [2] * 4])


def test_a_shift_a_growth_and_a_quarter_turn_by_hand() -> None:
    """Output pixel (2, 1), that is x = 2 and y = 1, under a pose at (1, 1), centre at (5, 6)."""
    for scale, angle, source in (
        (1.0, 0.0, (6.0, 6.0)),
        (2.0, 0.0, (5.5, 6.0)),  # twice as large: half a pixel away
        (1.0, math.pi / 2, (5.0, 5.0)),  # what stood above stands to the right: clockwise
    ):
        x, y = sampling_maps(Pose(1.0, 1.0, scale, angle), (5.0, 6.0), (3, 4))
        assert (x[1, 2], y[1, 2]) == pytest.approx(source, abs=1e-6)


@given(
    st.integers(0, 63),
    st.integers(0, 47),
    st.floats(0.2, 5),
    st.floats(-math.pi, math.pi),
    st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_the_centre_lands_on_the_pose_and_distances_scale(
    column: int, row: int, scale: float, angle: float, centre: tuple[float, float]
) -> None:
    x, y = sampling_maps(Pose(float(column), float(row), scale, angle), centre, SIZE)
    assert (x[row, column], y[row, column]) == pytest.approx(centre, abs=1e-3)
    distance = np.hypot(x - centre[0], y - centre[1])
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    np.testing.assert_allclose(
        distance * scale, np.hypot(columns - column, rows - row), rtol=1e-3, atol=2e-3
    )


@given(st.floats(0.2, 5), st.floats(-math.pi, math.pi))
def test_a_placed_box_holds_what_is_sampled_from_the_box(scale: float, angle: float) -> None:
    pose, centre, source = Pose(30.0, 22.0, scale, angle), (12.0, 9.0), (10.0, 8.0, 6.0, 3.0)
    x, y = sampling_maps(pose, centre, SIZE)
    left, top, width, height = source
    inside = (x >= left) & (x <= left + width) & (y >= top) & (y <= top + height)
    rows, columns = np.nonzero(inside)
    if rows.size == 0:
        return
    placed = placed_box(source, pose, centre)
    assert columns.min() >= placed[0] - 1e-3
    assert columns.max() <= placed[0] + placed[2] + 1e-3
    assert rows.min() >= placed[1] - 1e-3
    assert rows.max() <= placed[1] + placed[3] + 1e-3


def test_a_box_placed_by_hand() -> None:
    """Twice as large about its centre, which goes to (10, 20); then a quarter turn."""
    for angle, want in ((0.0, (6.0, 18.0, 8.0, 4.0)), (math.pi / 2, (8.0, 16.0, 4.0, 8.0))):
        placed = placed_box((1.0, 1.0, 4.0, 2.0), Pose(10.0, 20.0, 2.0, angle), (3.0, 2.0))
        assert placed == pytest.approx(want)


@given(st.floats(0.2, 5), st.floats(-math.pi, math.pi), st.floats(0, 99), st.floats(0, 99))
def test_the_matrix_takes_the_pose_to_the_centre(
    scale: float, angle: float, x: float, y: float
) -> None:
    matrix = sampling_matrix(Pose(30.0, 22.0, scale, angle), (x, y))
    assert matrix @ np.array([30.0, 22.0, 1.0]) == pytest.approx((x, y), abs=1e-3)
    assert np.linalg.det(matrix[:, :2]) == pytest.approx(1 / scale**2, rel=1e-4)
