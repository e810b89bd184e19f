"""What stands around every verb: signals, the handler of errors, progress, answers in JSON."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from edge_ttvos.cli import progress
from edge_ttvos.cli.console import STDOUT, Screen
from edge_ttvos.cli.guard import guarded, reason
from edge_ttvos.cli.process import held, orderly
from edge_ttvos.cli.progress import progress_of
from edge_ttvos.errors import MaskError, OutputError


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Put the handlers back that ``orderly`` replaces."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_in_order(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    signal.signal(getattr(signal, name), signal.SIG_DFL)

    with pytest.raises(SystemExit) as end, orderly():
        os.kill(os.getpid(), getattr(signal, name))

    assert end.value.code == 130
    said = f"edge-ttvos: interrupted by {name}; what was finished is kept\n"
    assert capsys.readouterr().err == said


def test_ctrl_c_between_typer_and_a_verb_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def verb() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end, orderly():
        app([])

    assert end.value.code == 130
    assert capsys.readouterr().err == "edge-ttvos: interrupted; what was finished is kept\n"


def test_ctrl_c_in_a_verb_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    @guarded
    def verb() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end, orderly():
        app([])

    assert end.value.code == 130
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("code", [0, 1, 2])
def test_other_exit_codes_pass(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, orderly():
        sys.exit(code)

    assert end.value.code == code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_held_back_until_the_block_is_done(number: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    done = []

    def block() -> None:
        with orderly(), held():
            os.kill(os.getpid(), number)
            done.append(1)

    with pytest.raises(SystemExit) as end:
        block()

    assert (end.value.code, done) == (130, [1])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_pressed_twice_it_breaks_in() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []

    def block() -> None:
        with held():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)
            os.kill(os.getpid(), signal.SIGINT)
            done.append(2)

    with pytest.raises(KeyboardInterrupt):
        block()

    assert done == [1]


def test_outside_the_main_thread_nothing_is_held() -> None:
    done = []

    def block() -> None:
        with held():
            done.append(1)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()

    assert done == [1]


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with orderly():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_names_that_a_terminal_cannot_show_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", narrow)

    with orderly():
        Screen().say("caf\u00e9 \udcff")

    narrow.flush()
    assert narrow.buffer.getvalue() == b"caf\\xe9 \\udcff\n"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (MaskError("two\nlines"), 1, "two lines"),
        (OutputError("no room"), 1, "no room"),
        (KeyboardInterrupt(), 130, "interrupted; what was finished is kept"),
        (OSError(28, "No space left", "x"), 1, "the system refused: [Errno 28] No space left: 'x'"),
        (
            MemoryError("9 GiB"),
            1,
            "out of memory (9 GiB): try a smaller --size or fewer --max-objects",
        ),
        (
            KeyError("slot"),
            1,
            "unexpected KeyError: 'slot'; this is a defect: "
            "please report it with the output of the same and -v",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @guarded
    def verb() -> None:
        raise error

    with pytest.raises(typer.Exit) as end:
        verb()

    assert end.value.exit_code == code
    assert capsys.readouterr().err == f"edge-ttvos: {line}\n"


@pytest.mark.parametrize("error", [typer.BadParameter("no"), typer.Exit(2), BrokenPipeError()])
def test_typers_own_errors_pass(error: Exception) -> None:
    @guarded
    def verb() -> None:
        raise error

    with pytest.raises(type(error)):
        verb()


def test_a_failure_before_any_result_is_answered_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in (tmp_path / "result.json", STDOUT):
        with pytest.raises(MaskError), Screen(target):
            raise MaskError("mask is empty")

    record = json.loads((tmp_path / "result.json").read_text())
    assert record == json.loads(capsys.readouterr().out)
    assert (record["schema"], record["complete"]) == (1, False)
    assert record["reason"] == reason(MaskError("mask is empty"))
    assert record["protocol"]["commit"] is None or record["protocol"]["commit"]


def test_a_failure_after_the_result_does_not_answer_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def verb() -> None:
        with Screen(STDOUT) as show:
            show.result({"schema": 1})
            raise MaskError("too late")

    with pytest.raises(MaskError):
        verb()

    assert json.loads(capsys.readouterr().out) == {"schema": 1}


def test_nan_is_refused_in_json(tmp_path: Path) -> None:
    for show, file in ((Screen(STDOUT), None), (Screen(), tmp_path / "result.json")):
        with pytest.raises(ValueError, match="JSON"):
            show.result({"J": float("nan")}, file)
    assert list(tmp_path.iterdir()) == []


def test_tables_show_markup_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show = Screen()

    show.table("[bold]title", ("[red]a", "b"), [("[/]cell :dog:", "1.5")], total=True)
    show.say("[link=x] and :dog:")

    shown = capsys.readouterr().out
    for text in ("[bold]title", "[red]a", "[/]cell :dog:", "[link=x] and :dog:"):
        assert text in shown


def test_progress_in_a_log_is_a_line_now_and_then_with_eta(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([100.0, 105.0, 130.0, 133.0, 3730.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))

    with progress_of("track walk", quiet=False) as line:
        line.update(0.1)
        line.update(0.25, "frame 5")
        line.update(0.3)
        line.update(None, "frame 900")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "track walk: 25%, frame 5, 0:00:30 passed, ETA 0:01:30",
        "track walk: frame 900, 1:00:30 passed",
    ]


def test_progress_on_a_terminal_is_a_bar_with_eta(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")

    with progress_of("track [bold]walk", quiet=False) as line:
        line.update(0.5, "frame 5")

    shown = capsys.readouterr().err
    for text in ("track [bold]walk", "50%", "ETA", "frame 5"):
        assert text in shown


def test_quiet_shows_no_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    with progress_of("track", quiet=True) as line:
        line.update(0.5)

    assert capsys.readouterr().err == ""
