"""Deploying over a real OpenSSH: toy bundles, whose installers take milliseconds."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import InputError, RemoteError
from edge_ttvos.targets.remote import ask as asking
from edge_ttvos.targets.remote import send as sending
from edge_ttvos.targets.remote.connection import Connection
from edge_ttvos.targets.remote.send import roll_back, send
from edge_ttvos.targets.remote.wheels import packed, wheels_in


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_version_after_the_other_and_back(serve: Any, toy: Any) -> None:
    server = serve()
    seen: list[tuple[str, float]] = []
    first = send(server.address, toy("one"), listen=lambda what, share: seen.append((what, share)))
    assert (server.runs, first.standing.previous) == ("one", None)
    assert first.installed.selftest[0]["ok"] is True
    assert first.bench["fps"]["end_to_end"] == 12.5
    assert first.doctor["can_track"] is True
    assert (first.copied, first.resumed) == (toy("one").stat().st_size, 0)
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    assert {"copy", "environment", "self-test", "bench"} <= {what for what, _ in seen}

    second = send(server.address, toy("two"))
    assert (server.runs, second.standing.previous) == ("two", first.standing.live)
    third = send(server.address, toy("three"))
    assert (server.runs, third.standing.previous) == ("three", second.standing.live)
    assert names(server.place / "releases") == [second.standing.live, third.standing.live]
    assert names(server.place / "incoming") == []

    assert roll_back(server.address).live == second.standing.live
    assert server.runs == "two"
    assert roll_back(server.address).live == third.standing.live
    assert server.runs == "three"


def test_the_same_bundle_again_is_a_release_of_its_own(serve: Any, toy: Any) -> None:
    server = serve()
    first, second = (send(server.address, toy("one")).standing for _ in range(2))
    assert first.live != second.live
    assert second.previous == first.live


def test_a_board_without_versions_has_none_to_go_back_to(serve: Any, toy: Any) -> None:
    server = serve()
    send(server.address, toy("one"))
    with pytest.raises(RemoteError, match="there is no previous version to go back to"):
        roll_back(server.address)
    assert server.runs == "one"


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("echo pip: oh; exit 3", "install.sh ended with 3: pip: oh"),
        (
            "echo 'ERROR: No matching distribution found for ai-edge-litert>=2.1'; exit 1",
            "finds no ai-edge-litert>=2.1 for its Python",
        ),
        ("echo 'NewConnectionError: name resolution'; exit 1", "reaches no package index"),
        ("echo '[Errno 28] No space left on device'; exit 1", "the board's disk is full"),
        (
            "echo 'error: self-test failed at 48x80: J 0.1'; exit 1",
            "^self-test failed at 48x80: J 0.1; ",
        ),
    ],
)
def test_what_fails_to_install_is_gone_and_the_old_version_runs(
    trouble: str, message: str, serve: Any, toy: Any
) -> None:
    server = serve()
    live = send(server.address, toy("one")).standing.live
    with pytest.raises(RemoteError, match=message) as caught:
        send(server.address, toy("two", trouble))
    assert str(caught.value).endswith("the board runs what it ran before")
    assert server.runs == "one"
    assert names(server.place / "releases") == [live]


def test_packages_can_be_brought_along(serve: Any, toy: Any, tmp_path: Path) -> None:
    server = serve()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "engine-1-py3-none-any.whl").write_text("wheel")
    say = 'test "$PIP_NO_INDEX" = 1; cat "$PIP_FIND_LINKS"/engine*.whl >"$1/../brought"'
    with packed(wheels_in(wheels)) as archive, packed(wheels_in(wheels)) as again:
        assert archive.read_bytes() == again.read_bytes()
        send(server.address, toy("one", say), archive)
    assert (server.place / "current" / "brought").read_text() == "wheel"
    assert not (server.place / "current" / "tmp").exists()


def test_a_folder_without_wheels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--wheels must name a folder of \.whl files"):
        wheels_in(tmp_path)


def test_two_deployments_do_not_mix(serve: Any, toy: Any) -> None:
    server = serve()
    send(server.address, toy("one"))
    said = []

    def interfere(what: str, share: float) -> None:
        if what == "packages":
            with pytest.raises(RemoteError, match="another deployment") as caught:
                send(server.address, toy("three"))
            said.append(caught.value)

    send(server.address, toy("two"), listen=interfere)
    assert len(said) == 1
    assert server.runs == "two"


def test_a_copy_goes_on_where_it_was_cut_off(
    serve: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    whole, incoming = Connection.write, server.place / "incoming"

    def cut(self: Connection, data: bytes | memoryview) -> None:
        if len(data) < 60_000:
            return whole(self, data)
        whole(self, data[:30_000])
        wait_until(lambda: any(path.stat().st_size for path in incoming.iterdir()))
        self.process.kill()
        return self.until("never")  # type: ignore[return-value]

    monkeypatch.setattr(Connection, "write", cut)
    with pytest.raises(RemoteError, match="the connection dropped; the board runs what it ran"):
        send(server.address, toy("one"))
    monkeypatch.setattr(Connection, "write", whole)
    server.settle()
    done = send(server.address, toy("one"))
    assert 0 < done.resumed <= 30_000
    assert done.copied + done.resumed == toy("one").stat().st_size
    assert server.runs == "one"


def test_an_archive_that_was_damaged_on_its_way_is_refused(
    serve: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setattr(sending, "parcel", lambda path: replace(PARCEL(path), sha256="0" * 64))
    with pytest.raises(RemoteError, match="damaged on its way; send it again; the board runs"):
        send(server.address, toy("one"))
    assert names(server.place / "incoming") == []


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


PARCEL = sending.parcel
PATIENCE = 30.0  # seconds


def test_a_disk_with_too_little_room_is_refused(
    serve: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    send(server.address, toy("one"))
    monkeypatch.setattr(asking, "ROOM", 10**18)
    with pytest.raises(RemoteError, match=r"MB free and .* are needed.*ran before$"):
        send(server.address, toy("two"))
    assert server.runs == "one"
    assert names(server.place / "incoming") == []


def test_a_disk_that_fills_up_meanwhile(
    serve: Any, toy: Any, stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``ssh`` is a stand-in here: it runs the command on a disk of 300 kB, in a namespace."""
    address = serve().address
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or os.spawnvp(os.P_WAIT, "unshare", [*unshare, "true"]):
        pytest.skip("no user namespaces here: no small disk to fill")
    home = tmp_path / "small"
    home.mkdir()
    mount = f'mount -t tmpfs -o size=300k none {home} && HOME={home} sh -c "$1"'
    script = f"for last; do :; done; exec {' '.join(unshare)} sh -c '{mount}' sh \"$last\""
    monkeypatch.setenv("PATH", stand_in({"ssh": script}))
    monkeypatch.setattr(asking, "ROOM", -(10**6))
    big = toy("big")
    with zipfile.ZipFile(big, "a") as archive:
        archive.writestr("more", os.urandom(200_000))
    with pytest.raises(RemoteError, match=r"No space left on device.*ran before$"):
        send(address, big)
