from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_ttvos.errors import OutputError
from edge_ttvos.targets.place import archive_of, check_place, publish, staged


def bundle(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "manifest.json").write_text(text)
    return folder


def test_the_archive_stands_beside_its_folder(tmp_path: Path) -> None:
    assert archive_of(tmp_path / "pi.v2") == tmp_path / "pi.v2.ettvos"


def test_what_is_absent_or_empty_is_taken(tmp_path: Path) -> None:
    check_place(tmp_path / "new", overwrite=False)
    check_place(tmp_path, overwrite=False)


def test_an_older_bundle_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    out = bundle(tmp_path / "out", "older")
    with pytest.raises(OutputError, match=r"manifest\.json exist already: .*--overwrite"):
        check_place(out, overwrite=False)
    check_place(out, overwrite=True)


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="holds other things than a bundle"):
        check_place(tmp_path, overwrite=True)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="must be a folder"):
        check_place(tmp_path / "file", overwrite=True)


def test_a_stage_is_gone_whatever_ends_it(tmp_path: Path) -> None:
    def work() -> None:
        with staged(tmp_path / "deep" / "out") as stage:
            (stage / "half").write_text("written")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    def work() -> None:
        with staged(tmp_path / "out") as stage:
            os.symlink("/dev/full", stage / "model")
            with (stage / "model").open("w", buffering=1) as file:
                file.write("much\n")

    with pytest.raises(OutputError, match="No space left"):
        work()


def test_a_bundle_and_its_archive_take_their_places(tmp_path: Path) -> None:
    out = bundle(tmp_path / "out", "older")
    archive_of(out).write_text("older")
    with staged(out) as stage:
        (stage / "packed").write_text("newer")
        publish(bundle(stage / "bundle", "newer"), stage / "packed", out)
    assert (out / "manifest.json").read_text() == "newer"
    assert archive_of(out).read_text() == "newer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.ettvos"]


def test_an_older_bundle_comes_back_if_the_new_one_cannot(tmp_path: Path) -> None:
    out = bundle(tmp_path / "out", "older")
    with pytest.raises(OutputError), staged(out) as stage:
        publish(stage / "absent", stage / "packed", out)
    assert (out / "manifest.json").read_text() == "older"
