from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_ttvos.errors import FrameError, SourceError
from edge_ttvos.firmware_bridge.sources import open_source
from edge_ttvos.firmware_bridge.sources.numbering import check_numbering, natural_key


def save(path: Path, value: int = 0, size: tuple[int, int] = (6, 4)) -> None:
    """An image of one grey; size is (width, height)."""
    Image.new("RGB", size, (value, value, value)).save(path)


def fill(folder: Path, names: list[str]) -> Path:
    for value, name in enumerate(names):
        save(folder / name, value)
    return folder


def names(folder: Path, **window: int) -> list[str]:
    with open_source(folder, **window) as source:
        return [frame.name for frame in source]


def test_images_come_in_natural_order_under_their_own_names(tmp_path: Path) -> None:
    fill(tmp_path, [f"frame{i}.png" for i in (8, 9, 10, 11)])
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._frame8.png").write_bytes(b"what a Mac leaves behind")
    (tmp_path / "folder.png").mkdir()
    with open_source(str(tmp_path)) as source:
        assert (source.size, source.length, source.fps) == ((4, 6), 4, None)
        read = list(source)
    assert [f.name for f in read] == ["frame8", "frame9", "frame10", "frame11"]
    assert [int(f.image[0, 0, 0]) for f in read] == [0, 1, 2, 3]
    assert read[0].image.dtype == np.uint8


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order_is_numeric_order(numbers: list[int]) -> None:
    stems = [f"a{n}b" for n in numbers]
    random.Random(0).shuffle(stems)
    assert sorted(stems, key=natural_key) == [f"a{n}b" for n in sorted(numbers)]


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".jpeg", ".png", ".bmp", ".webp"])
def test_every_image_format(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"00000{suffix}", 200)
    (frame,) = open_source(tmp_path)
    assert abs(int(frame.image.mean()) - 200) <= 2


def test_colours_are_rgb_and_photographs_stand_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (16, 8), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 0, 8, 8))  # the left half is blue
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90° clockwise
    picture.save(tmp_path / "0.jpg", exif=exif, quality=95, subsampling=0)
    source = open_source(tmp_path)
    (frame,) = source
    assert source.size == (16, 8)
    assert frame.image[3, 4].argmax() == 2, "what was left is now on top"
    assert frame.image[12, 4].argmax() == 0


def test_transparency_is_dropped_and_grey_becomes_rgb(tmp_path: Path) -> None:
    Image.new("RGBA", (6, 4), (10, 20, 30, 0)).save(tmp_path / "0.png")
    Image.new("L", (6, 4), 77).save(tmp_path / "1.png")
    read = [f.image[0, 0].tolist() for f in open_source(tmp_path)]
    assert read == [[10, 20, 30], [77, 77, 77]]


def test_start_end_and_stride_count_files(tmp_path: Path) -> None:
    fill(tmp_path, [f"{i:05d}.png" for i in range(100, 110)])
    assert names(tmp_path, start=1, end=8, stride=3) == ["00101", "00104", "00107"]
    with pytest.raises(SourceError, match=r"has 10 frames, 0…9; got start=10"):
        open_source(tmp_path, start=10)
    with pytest.raises(SourceError, match=r"has 10 frames; got end=11"):
        open_source(tmp_path, end=11)


def test_a_gap_names_the_first_missing_frame_and_the_way_around(tmp_path: Path) -> None:
    fill(tmp_path, [f"{i:05d}.png" for i in (0, 1, 2, 4, 5, 9)])
    with pytest.raises(SourceError, match=r"gap in its numbering: 3 is missing .* after 3 frames"):
        open_source(tmp_path)
    assert names(tmp_path, end=3) == ["00000", "00001", "00002"]
    assert names(tmp_path, start=3, end=5) == ["00004", "00005"]


@pytest.mark.parametrize(
    "stems",
    [
        ["00000", "00005", "00010", "00015"],  # every fifth frame, as YouTube-VOS has them
        ["0", "7"],
        ["a1", "b5", "c6"],  # names that differ in more than a number
        ["left", "right"],
        ["1697041234123", "1697041234163", "1697041234999"],  # time stamps
        ["shot3_take2"],
    ],
)
def test_what_is_no_gap(stems: list[str]) -> None:
    check_numbering("folder", stems)


@given(
    st.integers(0, 1000),
    st.integers(1, 9),
    st.integers(4, 30),
    st.data(),
    st.sampled_from(["", "f_"]),
)
def test_any_frame_taken_out_of_the_middle_is_missed(
    first: int, step: int, count: int, data: st.DataObject, prefix: str
) -> None:
    numbers = list(range(first, first + count * step, step))
    check_numbering("folder", [f"{prefix}{n:04d}" for n in numbers])
    missing = numbers.pop(data.draw(st.integers(1, count - 2)))
    with pytest.raises(SourceError, match=rf": {missing} is missing"):
        check_numbering("folder", [f"{prefix}{n:04d}" for n in numbers])


def test_one_number_twice() -> None:
    with pytest.raises(SourceError, match=r"frame number 7 twice: 07 and 7"):
        check_numbering("folder", ["6", "07", "7"])


def test_two_files_for_one_name(tmp_path: Path) -> None:
    fill(tmp_path, ["0.jpg", "0.png"])
    with pytest.raises(SourceError, match=r"0\.jpg and 0\.png"):
        open_source(tmp_path)


def test_a_frame_of_another_size_names_the_file_and_both_sizes(tmp_path: Path) -> None:
    fill(tmp_path, ["0.png", "1.png"])
    save(tmp_path / "2.png", size=(8, 4))
    frames = iter(open_source(tmp_path))
    assert [next(frames).name, next(frames).name] == ["0", "1"]
    with pytest.raises(FrameError, match=r"2\.png is 8×4, the first frame 6×4"):
        next(frames)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_a_file_cut_short_ends_the_run_at_its_frame(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for name in ("0", "1", "2"):
        Image.fromarray(noise).save(tmp_path / f"{name}{suffix}")
    whole = (tmp_path / f"1{suffix}").read_bytes()
    (tmp_path / f"1{suffix}").write_bytes(whole[: len(whole) * 2 // 3])
    frames = iter(open_source(tmp_path))
    assert next(frames).name == "0"
    with pytest.raises(FrameError, match=rf"1\{suffix} cannot be read as an image"):
        next(frames)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_an_unreadable_first_frame(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0.png").write_bytes(content)
    with pytest.raises(FrameError, match=r"0\.png cannot be read"):
        open_source(tmp_path)


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 6), np.uint16)).save(tmp_path / "0.png")
    with pytest.raises(FrameError, match="must have 8 bits a channel"):
        open_source(tmp_path)


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").touch()
    with pytest.raises(SourceError, match=r"holds no images: expected .*\.jpg.* got 1 other"):
        open_source(tmp_path)


def test_a_list_of_files_keeps_its_order(tmp_path: Path) -> None:
    fill(tmp_path, ["3.png", "1.png", "9.png"])
    source = open_source([tmp_path / "9.png", tmp_path / "1.png"])
    assert source.name == tmp_path.name
    assert [f.name for f in source] == ["9", "1"]


def test_a_single_image_and_nothing_at_all(tmp_path: Path) -> None:
    save(tmp_path / "0.png")
    with pytest.raises(SourceError, match="single image: expected a video file or a folder"):
        open_source(tmp_path / "0.png")
    with pytest.raises(SourceError, match="does not exist"):
        open_source(tmp_path / "absent")
