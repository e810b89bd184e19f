"""The command as people run it: in a process of its own, or in this one where that is enough."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.cli.app import app
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.network.checkpoint import save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS

SIZE = (64, 96)  # height and width of all frames
PATIENCE = 120  # seconds that a process may take before it counts as hanging
SMALL = ("--size", "64x96", "--threads", "1")

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Done:
    """What a run of the command left: exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout, all of it, as JSON without NaN."""
        return strict_json(self.out)

    @property
    def complaint(self) -> str:
        """stderr, which must be a single line that begins with the command's name."""
        (line,) = self.err.splitlines()
        assert line.startswith("edge-ttvos: ")
        return line


Call = Callable[..., Done]
Launch = Callable[..., "subprocess.Popen[str]"]


def strict_json(text: str) -> dict[str, Any]:
    """Parse JSON; NaN and infinities, which Python lets through, are an error."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    record: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return record


@pytest.fixture(scope="session")
def read_json() -> Callable[[Path], dict[str, Any]]:
    """Read a JSON file strictly."""
    return lambda path: strict_json(path.read_text("utf-8"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Put back torch's threads, which ``--threads`` sets for the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def plain_terminal() -> Iterator[None]:
    """The same text on every machine: no colours, lines of 100 letters."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"):
            patch.delenv(name, raising=False)
        patch.setenv("COLUMNS", "100")
        patch.setenv("_TYPER_FORCE_DISABLE_TERMINAL", "1")
        yield


@pytest.fixture(scope="session")
def call() -> Call:
    """Run the command in this process: ``call("track", clip, ...)``."""

    def run(*arguments: object) -> Done:
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                app([str(argument) for argument in arguments], prog_name="edge-ttvos")
            except SystemExit as end:
                code = end.code
        assert code is None or isinstance(code, int)
        return Done(code or 0, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def launched() -> list[subprocess.Popen[str]]:
    """All processes that were started."""
    return []


@pytest.fixture(autouse=True)
def none_left_running(launched: list[subprocess.Popen[str]]) -> Iterator[None]:
    """A test that fails takes what it started with it: the next one would suffer for it."""
    before = len(launched)
    yield
    for process in launched[before:]:
        with process:
            process.kill()


@pytest.fixture(scope="session")
def launch(
    tmp_path_factory: pytest.TempPathFactory, launched: list[subprocess.Popen[str]]
) -> Launch:
    """Start the command in a process of its own, far from the checkout.

    ``before`` is Python to run first: to set a limit, to plant an accident. Ctrl-C works whatever
    the tests themselves were started from.
    """
    folder = tmp_path_factory.mktemp("cwd")

    def start(
        *arguments: object, before: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        code = "\n".join(
            (
                "import signal, sys",
                "signal.signal(signal.SIGINT, signal.default_int_handler)",
                "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
                before,
                "from edge_ttvos.cli import main",
                "sys.argv[0] = 'edge-ttvos'",
                "main()",
            )
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        )
        launched.append(process)
        return process

    return start


@pytest.fixture(scope="session")
def finish() -> Callable[[subprocess.Popen[str]], Done]:
    """Wait for a launched command."""

    def wait(process: subprocess.Popen[str]) -> Done:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Done(process.returncode, out, err)

    return wait


@pytest.fixture(scope="session")
def shell(launch: Launch, finish: Callable[[subprocess.Popen[str]], Done]) -> Call:
    """Run the command in a process of its own and wait for it."""
    return lambda *arguments, **options: finish(launch(*arguments, **options))


@pytest.fixture(scope="session")
def wait_for() -> Callable[[Path, subprocess.Popen[str]], None]:
    """Wait until a launched command has written a file."""

    def wait(path: Path, process: subprocess.Popen[str]) -> None:
        until = time.monotonic() + PATIENCE
        while not path.exists():
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise AssertionError(f"{path.name} was not written: {process.communicate()}")
            time.sleep(0.005)

    return wait


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random weights that wants frames of ``SIZE``."""
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = TTVOS(PRESETS["release"])
    save_checkpoint(path, network, SIZE, {"name": "random"})
    return path


@dataclass(frozen=True)
class Scene:
    """Ten frames (64, 96, 3) RGB uint8, and the ids (64, 96) uint8 of two blocks that move."""

    frames: tuple[Picture, ...]
    labels: tuple[Picture, ...]


@pytest.fixture(scope="session")
def scene() -> Scene:
    """Two patterned blocks over a smooth background."""
    rng = np.random.default_rng(7)

    def texture(grain: tuple[int, int], size: tuple[int, int]) -> Picture:
        coarse = rng.integers(0, 256, (*grain, 3)).astype(np.uint8)
        return np.asarray(cv2.resize(coarse, size[::-1]), np.uint8)

    background, blocks = texture((5, 7), SIZE), [texture((3, 3), (20, 18)) for _ in range(2)]
    frames, labels = [], []
    for t in range(10):
        frame, ids = background.copy(), np.zeros(SIZE, np.uint8)
        for i, block in enumerate(blocks):
            where = np.s_[6 + 30 * i : 26 + 30 * i, 10 + 3 * t + 20 * i : 28 + 3 * t + 20 * i]
            frame[where], ids[where] = block, i + 1
        frames.append(frame)
        labels.append(ids)
    return Scene(tuple(frames), tuple(labels))


@pytest.fixture(scope="session")
def clip(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene as a folder of JPEGs, ``shot_03.jpg`` to ``shot_12.jpg``."""
    folder = tmp_path_factory.mktemp("frames") / "walk"
    folder.mkdir()
    for t, frame in enumerate(scene.frames):
        Image.fromarray(frame).save(folder / f"shot_{t + 3:02d}.jpg", quality=95)
    return folder


@pytest.fixture(scope="session")
def long_clip(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames enough to be interrupted in: the clip's, over and over."""
    folder, frames = tmp_path_factory.mktemp("long"), sorted(clip.iterdir())
    for t in range(1500):
        os.link(frames[t % len(frames)], folder / f"{t:05d}.jpg")
    return folder


@pytest.fixture(scope="session")
def masks(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """First masks: indexed.png of both objects, 1.png and 2.png black and white."""
    folder = tmp_path_factory.mktemp("masks")
    write_mask(folder / "indexed.png", scene.labels[0])
    for number in (1, 2):
        white = np.where(scene.labels[0] == number, 255, 0).astype(np.uint8)
        Image.fromarray(white).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def write_video() -> Callable[[Path, list[Picture]], Path]:
    """Write frames as H.264 in MP4, its index first, a key frame every four frames."""

    def write(path: Path, frames: list[Picture]) -> Path:
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=10)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt, stream.gop_size = "yuv420p", 4
            stream.options = {"bf": "0"}
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def video(
    scene: Scene,
    write_video: Callable[[Path, list[Picture]], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The scene as walk.mp4."""
    return write_video(tmp_path_factory.mktemp("video") / "walk.mp4", list(scene.frames))


@pytest.fixture(scope="session")
def no_leftovers() -> Callable[[Path], None]:
    """Assert that a folder holds no temporary file and that every PNG in it can be read."""

    def check(folder: Path) -> None:
        for path in folder.rglob("*"):
            assert not path.name.startswith("."), f"{path} was left behind"
            if path.suffix == ".png":
                with Image.open(path) as image:
                    image.load()

    return check
