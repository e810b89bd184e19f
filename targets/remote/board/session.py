"""One deployment on the board, told what to do line by line; it ends with its connection.

    → {"keep": …}  ← ready           the lock is held, leftovers are gone
    → receive  ← offset → bytes ← done
    → install  ← line … ← done       environment, engine, runtime, self-test
    → measure  ← line … ← done       bench and doctor of what was installed
    → switch   ← done                or roll_back, alone

Where something cannot be done, ``refused`` says why and the program ends. Until ``switch`` the live
release is not touched, and whatever is not live at the end is removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_ttvos.targets.remote.board.channel import CHUNK, Channel, GoneError
from edge_ttvos.targets.remote.board.store import HOME, RefusedError, Store

MODULE = "edge_ttvos.firmware_bridge"

Command = list[str | Path]


def main() -> None:
    """Serve one deployment."""
    channel = Channel()
    try:
        with Session(channel, Store(HOME.expanduser())) as session:
            session.serve()
    except GoneError:
        sys.exit(1)
    except RefusedError as error:
        channel.tell("refused", message=str(error))
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        channel.tell("refused", message=f"{error.strerror}{where}", errno=error.errno)


class Session:
    """Carries out requests; as a ``with`` block it holds the lock and leaves no leftovers."""

    def __init__(self, channel: Channel, store: Store) -> None:
        self._channel, self._store = channel, store
        self._verbs: dict[str, Callable[..., dict[str, Any]]] = {
            "receive": self.receive,
            "install": self.install,
            "measure": self.measure,
            "switch": self.switch,
            "roll_back": self.roll_back,
        }
        self._keep: list[str] | None = None  # sha256 of what a failure leaves, to be continued
        self._release: Path | None = None

    def __enter__(self) -> Session:
        self._lock = self._store.lock()
        os.chdir(self._store.root)  # Python looks for modules here first
        return self

    def __exit__(self, *error: object) -> None:
        if self._keep is not None:  # else nothing has begun
            self._store.tidy(self._keep)
        os.close(self._lock)

    def serve(self) -> None:
        """Do what is asked for until the host says ``end``."""
        self._keep = self._channel.request()["keep"]
        self._store.tidy(self._keep)
        free = shutil.disk_usage(self._store.root).free
        self._channel.tell("ready", free_bytes=free, **self._standing())
        while (request := self._channel.request())["do"] != "end":
            self._channel.tell("done", **self._verbs[request.pop("do")](**request))

    def receive(self, sha256: str, length: int) -> dict[str, Any]:
        """Take an archive's bytes from where an earlier attempt ended.

        Raises:
            RefusedError: what came is not what was sent.
        """
        path = self._store.incoming / sha256
        with path.open("ab") as file:
            if (offset := file.tell()) > length:
                file.truncate(offset := 0)
            self._channel.tell("offset", bytes=offset)
            missing = length - offset
            while missing:
                data = self._channel.data(min(missing, CHUNK))
                file.write(data)
                missing -= len(data)
            file.flush()
            os.fsync(file.fileno())
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            path.unlink()
            raise RefusedError("the archive was damaged on its way; send it again")
        return {"resumed": offset}

    def install(self, sha256: str, wheels: str | None) -> dict[str, Any]:
        """Unpack a bundle into a release of its own and run its installer and self-test.

        Args:
            sha256: of the bundle's archive.
            wheels: of another with all that pip shall install; None: pip asks its index.

        Raises:
            RefusedError: the installer failed.
        """
        self._release = release = self._store.fresh(sha256)
        self._unpack(sha256, release / "bundle")
        temporary = release / "tmp"  # not /tmp, which often is memory
        temporary.mkdir()
        environment = {"PYTHON": sys.executable, "TMPDIR": str(temporary)}
        if wheels is not None:
            self._unpack(wheels, temporary / "wheels")
            environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(temporary / "wheels")}
        installer = release / "bundle" / "install.sh"
        self._run("install.sh", ["sh", installer, release / "venv"], environment)
        shutil.rmtree(temporary)
        return {"release": release.name}

    def measure(self) -> dict[str, Any]:
        """The new release's bench on its golden clip, and what its doctor says.

        Raises:
            RefusedError: it cannot run.
        """
        release = self._new()
        python, bench = release / "venv" / "bin" / "python", release / "bench"
        command: Command = [python, "-m", MODULE, "bench", release / "bundle", "--out", bench]
        self._run("bench", command)
        doctor = release / "doctor.json"
        self._channel.run([python, "-m", MODULE, "doctor", "--json", doctor], {}, self._lock)
        return {"bench": _read(bench / "bench.json"), "doctor": _read(doctor)}

    def switch(self) -> dict[str, Any]:
        """Make the new release live."""
        self._store.switch(self._new())
        self._keep = []
        return self._standing()

    def roll_back(self) -> dict[str, Any]:
        """Make the release live that was before.

        Raises:
            RefusedError: there is none.
        """
        self._store.roll_back()
        return self._standing()

    def _unpack(self, sha256: str, folder: Path) -> None:
        with zipfile.ZipFile(self._store.incoming / sha256) as archive:
            archive.extractall(folder)

    def _new(self) -> Path:
        if self._release is None:
            raise RefusedError("nothing was installed yet")
        return self._release

    def _run(self, name: str, command: Command, environment: dict[str, str] | None = None) -> None:
        code, lines = self._channel.run(command, environment or {}, self._lock)
        if code:
            last = next((line for line in reversed(lines) if line.strip()), "")
            raise RefusedError(f"{name} ended with {code}: {last}")

    def _standing(self) -> dict[str, Any]:
        live, previous = self._store.live, self._store.fallback
        return {
            "live": live.name if live else None,
            "previous": previous.name if previous else None,
        }


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))
