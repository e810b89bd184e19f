"""A real OpenSSH server on the loopback interface, and toy bundles that install in no time.

The server runs as the user that runs the tests, with keys, configuration and port of its own; what
logs in finds a home folder of the test's. ``ssh`` on the PATH is OpenSSH with the test's
configuration, so that the code under test is the one that people run.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_ttvos.targets.remote.address import Address, parse_address

PATIENCE = 30.0  # seconds that a server may take to answer
PRIVILEGES = Path("/run/sshd")  # where a server of root's parts its privileges

# What a bundle's installer leaves: a python that answers as the runtime would.
TOY_PYTHON = """\
#!/bin/sh
release=$(cd "$(dirname "$0")/../.." && pwd)
case $3 in
    bench)
        mkdir -p "$6"
        echo '{"fps": {"end_to_end": 12.5}, "throttled": false}' >"$6/bench.json" ;;
    doctor) echo '{"can_track": true, "checks": []}' >"$5" ;;
    selftest) cat "$release/bundle/version" "$release/venv/complete" ;;
esac
"""
TOY_INSTALLER = f"""\
set -eu
bundle=$(cd "$(dirname "$0")" && pwd)
echo "install.sh: 1/4 environment"
mkdir -p "$1/bin"
cat >"$1/bin/python" <<'EOF'
{TOY_PYTHON}EOF
chmod +x "$1/bin/python"
echo "install.sh: 2/4 packages"
TROUBLE
echo "install.sh: 3/4 runtime"
echo complete >"$1/complete"
echo "install.sh: 4/4 self-test"
echo '{{"size": [48, 80], "ok": true, "J_min": 1.0}}'
"""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        address: to deploy to.
        home: home folder of whoever logs in.
        process: of the server.
    """

    address: Address
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def place(self) -> Path:
        """Where releases stand."""
        return self.home / ".local" / "share" / "edge-ttvos"

    @property
    def runs(self) -> str | None:
        """What the live release says it is, asked as its user would; None where none is live."""
        python = self.place / "current" / "venv" / "bin" / "python"
        if not python.exists():
            return None
        command = [str(python), "-m", "edge_ttvos.firmware_bridge", "selftest"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        version, complete = done.stdout.split()
        assert complete == "complete"
        return version

    def settle(self) -> None:
        """Wait until whatever was cut off on the board has ended: its lock is free then."""
        with (self.place / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


Serve = Callable[..., Server]
Toy = Callable[..., Path]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start servers: ``serve()``, ``serve(environment={"NAME": "value"})``."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(environment: Mapping[str, str] | None = None, known: bool = True) -> Server:
        folder = tmp_path / f"sshd{len(servers)}"
        home = folder / "home"
        home.mkdir(parents=True)
        variables = {"HOME": str(home), **(environment or {})}
        with _listening(folder, variables) as (process, port):
            servers.append(process)
        _use_client(folder, port, known, monkeypatch)
        address = parse_address(f"{getpass.getuser()}@127.0.0.1:{port}")
        return Server(address, home, process)

    yield start
    for process in servers:
        process.kill()
        process.wait()


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """Make an archive: ``toy("one")``; ``trouble`` is shell that its installer runs halfway."""

    def make(version: str, trouble: str = ":") -> Path:
        path = tmp_path / f"{version}.ettvos"
        if path.exists():
            return path
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("version", f"{version}\n")
            archive.writestr("install.sh", TOY_INSTALLER.replace("TROUBLE", trouble))
            archive.writestr("weights", version.encode() * 50_000)
        return path

    return make


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[dict[str, str]], str]:
    """A PATH on which some programs are shell scripts: ``stand_in({"python3": "exit 1"})``."""

    def write(programs: dict[str, str]) -> str:
        folder = tmp_path / "stand-in"
        folder.mkdir()
        for name, script in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return f"{folder}:/usr/bin:/bin"

    return write


@contextmanager
def _listening(
    folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that answers; skips where there can be none."""
    sshd = _server_program()
    for name in ("host", "client"):
        generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(generate, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lines = [
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'client.pub'}",
        f"ListenAddress 127.0.0.1:{port}",
        f"PidFile {folder / 'pid'}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "SetEnv " + " ".join(f'"{name}={value}"' for name, value in environment.items()),
    ]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    until = time.monotonic() + PATIENCE
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > until:
            pytest.skip(f"sshd does not run here: {(folder / 'log').read_text()[-200:]}")
        time.sleep(0.02)
    yield process, port


def _server_program() -> str:
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if sshd is None or shutil.which("ssh") is None:
        pytest.skip("no sshd and ssh: Debian, Ubuntu: apt install openssh-server")
    if os.geteuid() == 0:
        PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    return sshd


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _use_client(folder: Path, port: int, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """``ssh`` with the test's key and known hosts, first on the PATH."""
    key = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key}" if known else "")
    (folder / "ssh_config").write_text(
        f"IdentityFile {folder / 'client'}\nIdentitiesOnly yes\nIdentityAgent none\n"
        f"UserKnownHostsFile {folder / 'known_hosts'}\nGlobalKnownHostsFile /dev/null\n"
    )
    programs = folder / "bin"
    programs.mkdir()
    real = shutil.which("ssh", path="/usr/bin:/bin:/usr/local/bin")
    (programs / "ssh").write_text(f'#!/bin/sh\nexec {real} -F {folder / "ssh_config"} "$@"\n')
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def python_path() -> str:
    """What these tests import from, for a process that has another home."""
    return ":".join(entry for entry in sys.path if entry.endswith("site-packages"))
