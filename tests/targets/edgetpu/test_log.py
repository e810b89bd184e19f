from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.errors import ExportError
from edge_ttvos.targets.edgetpu.log import CompilerLog, Limits, main, parse_log

Printed = Callable[..., str]


def test_everything_that_is_printed_is_read(printed: Printed) -> None:
    log = parse_log(printed(off_chip="175.00KiB"))
    assert log.version == "16.0.384591198"
    assert (log.mapped, log.total, log.subgraphs) == (14, 18, 1)
    assert (log.on_chip_bytes, log.off_chip_bytes) == (round(1.5 * 2**20), 175 * 2**10)
    assert log.mapped_of("CONV_2D") == 9
    left = {o.status for o in log.operations if o.kind == "QUANTIZE"}
    assert left == {
        "Operation is otherwise supported, but not mapped due to some unspecified limitation"
    }


def test_the_log_file_has_the_table_alone(log_file: str) -> None:
    log = parse_log(log_file)
    assert (log.version, log.mapped, log.total) == ("15.0.340273435", 14, 18)
    assert log.on_chip_bytes is log.off_chip_bytes is log.subgraphs is None


@pytest.mark.parametrize("version", ["17.0.1", "2.1.302470888", "16.1.0", "1"])
def test_a_log_of_another_version_is_refused_by_naming_both(version: str, printed: Printed) -> None:
    with pytest.raises(
        ExportError, match=rf"14\.1, 15\.0, 16\.0 can be read; got version {version}"
    ):
        parse_log(printed(version))


@pytest.mark.parametrize("text", ["", "Edge TPU Compiler, newest\n", '{"version": "16.0"}'])
def test_what_is_no_log_is_refused_by_its_beginning(text: str) -> None:
    with pytest.raises(
        ExportError, match=r"must name its Edge TPU Compiler version; it begins with"
    ):
        parse_log(text)


def test_a_table_that_lacks_operators_is_refused(printed: Printed) -> None:
    with pytest.raises(ExportError, match=r"list all operators \(19\); got 18"):
        parse_log(printed(total=19))


def test_a_log_without_a_table_is_refused(printed: Printed) -> None:
    with pytest.raises(ExportError, match=r"Run edgetpu_compiler with -s"):
        parse_log(printed().partition("Operator  ")[0])


def test_an_amount_of_another_form_is_refused(printed: Printed) -> None:
    with pytest.raises(ExportError, match=r"like 6\.89MiB; got '12PiB'"):
        parse_log(printed(off_chip="12PiB"))


@pytest.mark.parametrize(
    "failure",
    [
        "Compilation failed due to large activation tensors in model.",
        "Internal compiler error. Aborting!",
        "ERROR: Didn't find op for builtin opcode 'RESIZE_BILINEAR' version '3'",
    ],
)
def test_a_failed_compilation_is_told_in_the_compilers_words(failure: str) -> None:
    with pytest.raises(ExportError, match=f"16.0.1 could not compile: {failure}"):
        parse_log(f"Edge TPU Compiler version 16.0.1\n\n{failure}\n")


@pytest.fixture
def log(printed: Printed) -> CompilerLog:
    return parse_log(printed(off_chip="1.00KiB"))


def test_limits_that_are_kept_say_nothing(log: CompilerLog) -> None:
    Limits(least_mapped=14 / 18, most_off_chip=1024).require("encode", log)


def test_too_little_on_the_edge_tpu_fails_with_what_stays(log: CompilerLog) -> None:
    with pytest.raises(ExportError, match=r"encode: .* at least 90%.* 14 of 18.*1 LEAKY_RELU"):
        Limits(least_mapped=0.9, most_off_chip=1024).require("encode", log)


def test_nothing_on_the_edge_tpu_always_fails() -> None:
    nothing = CompilerLog("16.0.1", (), None, None, None)
    one = parse_log(
        "Edge TPU Compiler version 16.0.1\nOperator Count Status\nADD 3 Not supported\n"
    )
    assert nothing.total == 0
    with pytest.raises(ExportError, match="0 of 3"):
        Limits().require("encode", one)


def test_too_much_off_the_chip_fails(log: CompilerLog) -> None:
    with pytest.raises(ExportError, match=r"at most 1023 bytes of parameters.*got 1024"):
        Limits(most_off_chip=1023).require("encode", log)


def test_saved_logs_are_held_to_limits(
    log_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "encode_edgetpu.log"
    path.write_text(log_file)
    assert main([str(path), "--least-mapped", "0.7"]) == 0
    assert "14 of 18 operators" in capsys.readouterr().out
    assert main([str(path), "--least-mapped", "0.8"]) == 1
    assert "at least 80%" in capsys.readouterr().err
    assert main([str(tmp_path / "none.log")]) == 1
    assert "none.log" in capsys.readouterr().err
