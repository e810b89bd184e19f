"""The board's end of the connection: lines of JSON both ways, and processes that die with it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SILENCE = 60.0  # seconds without a sign of the host after which it is taken for gone
CHUNK = 1 << 16  # bytes


class GoneError(Exception):
    """The connection has ended."""


class Channel:
    """Requests on one descriptor, answers on another; an empty line says that the host lives."""

    def __init__(self, source: int = 0, sink: int = 1) -> None:
        self._source, self._sink = source, sink
        self._buffer = b""

    def tell(self, event: str, **facts: Any) -> None:
        """Send a line.

        Raises:
            GoneError: nobody reads any more.
        """
        data = json.dumps({"event": event, **facts}).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._sink, data) :]
        except OSError as error:
            raise GoneError from error

    def request(self) -> dict[str, Any]:
        """The next line that is not empty.

        Raises:
            GoneError: there is none to come.
        """
        while True:
            while b"\n" not in self._buffer:
                self._fill()
            line, _, self._buffer = self._buffer.partition(b"\n")
            if line:
                request: dict[str, Any] = json.loads(line)
                return request

    def data(self, most: int) -> bytes:
        """Up to ``most`` bytes that follow a request, at least one.

        Raises:
            GoneError: there are none to come.
        """
        if not self._buffer:
            self._fill()
        data, self._buffer = self._buffer[:most], self._buffer[most:]
        return data

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str], lock: int
    ) -> tuple[int, list[str]]:
        """Run a process, telling its lines as they come; its exit code, and all its lines.

        Whatever ends this program, the process keeps the lock until it has ended too.

        Raises:
            GoneError: the host went; the process and all its children were killed.
        """
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
            pass_fds=(lock,),
        ) as process:
            try:
                lines = self._follow(process)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return process.returncode, lines

    def _follow(self, process: subprocess.Popen[bytes]) -> list[str]:
        assert process.stdout is not None
        lines: list[str] = []
        rest, output = b"", process.stdout.fileno()
        while piece := self._output(output):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                lines.append(line.decode("utf-8", "replace"))
                self.tell("line", text=lines[-1])
        return [*lines, rest.decode("utf-8", "replace")] if rest else lines

    def _output(self, output: int) -> bytes:
        """The next bytes of a process, waiting for it and for signs of the host."""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(self._source, selectors.EVENT_READ)
            while ready := selector.select(SILENCE):
                names = {key.fd for key, _ in ready}
                if self._source in names:
                    self._buffer = (self._buffer + self._read()).lstrip(b"\n")
                if output in names:
                    return os.read(output, CHUNK)
        raise GoneError

    def _fill(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._source, selectors.EVENT_READ)
            if not selector.select(SILENCE):
                raise GoneError
        self._buffer += self._read()

    def _read(self) -> bytes:
        data = os.read(self._source, CHUNK)
        if not data:
            raise GoneError
        return data
