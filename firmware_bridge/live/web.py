"""Runs the page's server in a thread, and tells people where it is."""

from __future__ import annotations

import socket
import sys
import threading
from typing import TextIO

from edge_ttvos.errors import EngineError, InputError
from edge_ttvos.firmware_bridge.diagnosis import PAGE
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.preview import Preview

EVERYWHERE = ("0.0.0.0", "::")
SOMEWHERE = ("192.0.2.1", 9)  # RFC 5737; nothing is sent, but the system picks the way there


class Web:
    """The page on an address and a port.

    Args:
        live: the run that it shows.
        preview: its pictures.
        bind: address to listen on.
        port: 0 takes any that is free.

    Raises:
        EngineError: the server's packages are not installed.
        InputError: the address or the port cannot be had.
    """

    def __init__(self, live: Live, preview: Preview, bind: str, port: int) -> None:
        try:
            import uvicorn

            from edge_ttvos.firmware_bridge.live.guard import is_loopback, new_token
            from edge_ttvos.firmware_bridge.live.server import make_app
        except ImportError as error:
            raise EngineError(
                f"the page needs {error.name}, which is not installed; type: "
                f"pip install {' '.join(PAGE)}"
            ) from error
        self.token = None if is_loopback(bind) else new_token()
        self._socket = _listening(bind, port)
        self._bind, self._port = bind, self._socket.getsockname()[1]
        config = uvicorn.Config(
            make_app(live, preview, self.token),
            lifespan="off",
            loop="asyncio",
            ws="wsproto",
            ws_per_message_deflate=False,  # JPEGs do not get any smaller
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        sockets = {"sockets": [self._socket]}
        self._thread = threading.Thread(
            target=self._server.run, kwargs=sockets, name="web", daemon=True
        )

    @property
    def url(self) -> str:
        """What to type into a browser, token included."""
        host = _own_address() if self._bind in EVERYWHERE else self._bind
        host = f"[{host}]" if ":" in host else host
        query = "" if self.token is None else f"?token={self.token}"
        return f"http://{host}:{self._port}/{query}"

    def start(self) -> None:
        """Serve, in the background."""
        self._thread.start()

    def announce(self, stream: TextIO = sys.stderr) -> None:
        """Say where the page is; beyond this machine also as a QR code for a phone's camera."""
        print(f"page: {self.url}", file=stream, flush=True)
        if self.token is not None:
            import segno

            segno.make(self.url, error="l").terminal(out=stream, compact=True)

    def close(self) -> None:
        """Stop serving; viewers are cut off after a second."""
        self._server.should_exit = True
        self._thread.join(2.5)


def _listening(bind: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    place = socket.socket(family, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((bind, port))
        place.listen()  # from here on browsers wait instead of being turned away
    except OSError as error:
        place.close()
        raise InputError(
            f"the page cannot listen on {bind}:{port}: {error.strerror}. Give another --web PORT "
            "or --bind ADDRESS"
        ) from error
    return place


def _own_address() -> str:
    """This machine's address as others on its network see it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOMEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
