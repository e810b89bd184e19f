"""One ``ssh`` process, and a program of ours at its other end; lines of JSON go both ways.

The system's OpenSSH does what it does for everybody: ~/.ssh/config, keys and agents, host keys. It
is told never to ask for anything: no password is seen here, and an unknown host key ends it.
"""

from __future__ import annotations

import base64
import inspect
import json
import selectors
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import IO, Any

from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.remote.address import Address
from edge_ttvos.targets.remote.failures import AS_BEFORE, explain

OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "10",
    "ServerAliveCountMax": "3",
    "LogLevel": "ERROR",
    "RequestTTY": "no",
}
TICK = 5.0  # seconds between signs of life while the board works
CHUNK = 1 << 16  # bytes
BOARD = "edge_ttvos.targets.remote.board"
SESSION = ("store", "channel", "session")  # modules of ``board`` in the order of their imports
PROBE = ("probe",)

Event = dict[str, Any]


class Connection:
    """A program of ``board`` that runs on a board, until the end of a ``with`` block.

    Args:
        address: of the board.
        modules: of ``board``, sent along; ``main`` of the last is run.

    Raises:
        RemoteError: there is no ``ssh``; from any method: the connection ended, and why.
    """

    def __init__(self, address: Address, modules: tuple[str, ...]) -> None:
        self._address = address
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        options = [f"-o{name}={value}" for name, value in OPTIONS.items()]
        command = ["ssh", *options, *address.arguments, remote_command(modules)]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is ours: the board shall be told in order
            )
        except FileNotFoundError:
            self._said.close()
            raise RemoteError(
                "--to needs OpenSSH's ssh, which is not installed; type: sudo apt install -y "
                "openssh-client"
            ) from None
        self._buffer = b""
        self.before = AS_BEFORE

    def ask(
        self, do: str, listen: Callable[[Event], None] = lambda event: None, **what: Any
    ) -> Any:
        """Send a request and wait until it is done; its result.

        Args:
            do: name of a method of the board's ``Session``.
            listen: called with every event on the way.
            what: its arguments.

        Raises:
            RemoteError: the board refused.
        """
        self.send({"do": do, **what})
        return self.until("done", listen)

    def send(self, request: dict[str, Any]) -> None:
        """Send a line."""
        self.write(json.dumps(request).encode() + b"\n")

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes, all of them."""
        view = memoryview(data)
        while view:
            try:
                view = view[_pipe(self.process.stdin).write(view[:CHUNK]) or 0 :]
            except OSError:
                self.until("never")  # raises what the board said last, if it said something

    def until(self, name: str, listen: Callable[[Event], None] = lambda event: None) -> Event:
        """Wait for an event of this name.

        Raises:
            RemoteError: the board refused.
        """
        while (event := self.event())["event"] != name:
            if event["event"] == "refused":
                raise RemoteError(f"{self._address}: {event['message']}; {AS_BEFORE}")
            listen(event)
        return event

    def event(self) -> Event:
        """The next line that is JSON; what a login script prints is passed over."""
        while True:
            while b"\n" not in self._buffer:
                self._fill()
            line, _, self._buffer = self._buffer.partition(b"\n")
            if line.startswith(b'{"'):
                event: Event = json.loads(line)
                return event

    def _fill(self) -> None:
        output = _pipe(self.process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not selector.select(TICK):
                self._tick()
        data = output.read(CHUNK)
        if not data:
            self.process.wait()
            raise RemoteError(explain(self._address, self.said(), self.before))
        self._buffer += data

    def _tick(self) -> None:
        try:
            _pipe(self.process.stdin).write(b"\n")
        except OSError:
            return  # what is to be read says why

    def said(self) -> str:
        """What ``ssh`` and the board said on stderr."""
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace")

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            _pipe(pipe).close()
        self.process.wait()
        self._said.close()


def remote_command(modules: tuple[str, ...]) -> str:
    """A shell's command that runs modules of ``board`` from their source; any shell reads it.

    Each becomes a module under its own name, so that they import one another as they do here.
    """
    sources = {name: inspect.getsource(import_module(f"{BOARD}.{name}")) for name in modules}
    text = (
        "import sys, types\n"
        f"for name, source in {sources!r}.items():\n"
        f"    module = types.ModuleType({BOARD!r} + '.' + name)\n"
        "    sys.modules[module.__name__] = module\n"
        "    exec(compile(source, name + '.py', 'exec'), module.__dict__)\n"
        "module.main()\n"
    )
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    loader = f'import base64,zlib;exec(zlib.decompress(base64.b64decode("{packed}")))'
    return f"exec python3 -c '{loader}'"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
