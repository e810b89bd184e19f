"""Mistyped commands: exit code 2, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos import origin

BOX = ("--box", "10,6,18,20")


@pytest.fixture
def mistyped(call: Callable[..., Any], clip: Path, tmp_path: Path) -> Callable[[list[str]], str]:
    """Type a command, with CLIP and OUT put in; assert that it is a usage error; return stderr."""

    def run(arguments: list[str]) -> str:
        places = {"CLIP": str(clip), "OUT": str(tmp_path / "out")}

        done = call(*(places.get(argument, argument) for argument in arguments))

        assert done.code == 2, done
        assert done.out == ""
        assert list(tmp_path.iterdir()) == []
        assert "Traceback" not in done.err
        return " ".join(done.err.replace("│", " ").split())

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], "No such command 'fly'"),
        (["track"], "Missing argument 'SOURCE'"),
        (["track", "CLIP", *BOX], "Missing option '--out'"),
        (["track", "CLIP", "--out", "OUT"], "--mask PNG or --box X,Y,W,H"),
        (["track", "CLIP", "--out", "OUT", *BOX, "--fast"], "No such option"),
        (["track", "CLIP", "--out", "OUT", *BOX, "--json"], "requires an argument"),
        (["eval", "--dataset", "davis2016", "--out", "OUT"], "Missing option '--root'"),
        (["eval", "--dataset", "coco", "--root", "CLIP", "--out", "OUT"], "davis2017, youtube-vos"),
        (
            ["score", "--predictions", "A", "--dataset", "coco", "--root", "A", "--out", "OUT"],
            "'coco': expected one of davis2016",
        ),
        (
            ["eval", "--dataset", "davis2016", "--root", "CLIP", "--out", "OUT", "--init", "dot"],
            "'dot': expected mask or box",
        ),
        (["score", "--dataset", "davis2016", "--root", "CLIP", "--out", "OUT"], "--predictions"),
        (["train", "--recipe", "cpu-2h", "--out", "OUT"], "Missing option '--data'"),
    ],
    ids=str,
)
def test_a_command(mistyped: Callable[[list[str]], str], arguments: list[str], words: str) -> None:
    assert words in mistyped(arguments)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--box", "1,2,3"], "'1,2,3': expected X,Y,W,H, four numbers"),
        (["--box", "1,2,3,x"], "expected X,Y,W,H"),
        (["--box", "1,2,nan,4"], "expected X,Y,W,H"),
        (["--box", ""], "'' is empty"),
        (["--mask", ""], "'' is empty"),
        (["--mask", "0:mask.png"], "object ids are 1…254"),
        (["--mask", "255@3:mask.png"], "object ids are 1…254"),
        ([*BOX, "--size", "64"], "expected HxW"),
        ([*BOX, "--size", "64x"], "expected HxW"),
        ([*BOX, "--size", "8x64"], "each 16 to 4096"),
        ([*BOX, "--size", "-64x96"], "expected HxW"),
        ([*BOX, "--threads", "0"], "--threads"),
        ([*BOX, "--threads", "many"], "--threads"),
        ([*BOX, "--max-objects", "0"], "--max-objects"),
        ([*BOX, "--max-objects", "255"], "--max-objects"),
        ([*BOX, "--start", "-1"], "--start"),
        ([*BOX, "--stride", "0"], "--stride"),
        ([*BOX, "--end", "0"], "--end"),
        ([*BOX, "--start", "3", "--end", "3"], "3 must be greater than --start 3"),
    ],
    ids=str,
)
def test_an_option_of_track(
    mistyped: Callable[[list[str]], str], options: list[str], words: str
) -> None:
    assert words in mistyped(["track", "CLIP", "--out", "OUT", *options])


def test_a_usage_error_leaves_the_json_alone(
    call: Callable[..., Any], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "result.json"
    file.write_text("mine")

    done = call("track", clip, "--out", tmp_path / "out", "--json", file)

    assert done.code == 2
    assert file.read_text() == "mine"


def test_no_command_shows_the_commands(call: Callable[..., Any]) -> None:
    done = call()

    assert done.code == 2
    for verb in ("track", "eval", "score", "train", "doctor"):
        assert verb in done.out + done.err


@pytest.mark.parametrize("verb", ["track", "eval", "score", "train", "doctor"])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_verb_has_help_and_the_common_options(
    call: Callable[..., Any], verb: str, option: str
) -> None:
    done = call(verb, option)

    assert (done.code, done.err) == (0, "")
    for common in ("--json", "--verbose", "--quiet"):
        assert common in done.out


def test_version(call: Callable[..., Any]) -> None:
    done = call("--version")

    assert (done.code, done.out) == (0, f"edge-ttvos {origin.version()}\n")
