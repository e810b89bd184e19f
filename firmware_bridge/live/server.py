"""The page's server: static files, one WebSocket a viewer, commands by POST, downloads."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from edge_ttvos.errors import EdgeTtvosError, InputError
from edge_ttvos.firmware_bridge.live.commands import parse
from edge_ttvos.firmware_bridge.live.film import encode
from edge_ttvos.firmware_bridge.live.guard import Guard
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.preview import Preview
from edge_ttvos.firmware_bridge.live.recorder import VIDEO, Recording, zipped

PAGE = {"/": "index.html", "/app.js": "app.js", "/style.css": "style.css", "/icon.svg": "icon.svg"}
KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",  # no other page shows our pictures
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LARGEST = 8 << 20  # bytes of a command
PATIENCE = 10.0  # seconds for the loop to answer
STILL_QUALITY = 92
PIECE = 1 << 16  # bytes of a download at a time

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(live: Live, preview: Preview, token: str | None) -> Guard:
    """The ASGI application.

    Args:
        live: the run that commands go to.
        preview: the pictures that viewers get.
        token: that requests must show; None: none.
    """
    server = _Server(live, preview)
    routes = [
        *(Route(path, _static(name)) for path, name in PAGE.items()),
        Route("/do/{command}", server.command, methods=["POST"]),
        Route("/still.jpg", server.still),
        Route("/video.mp4", server.video),
        Route("/masks.zip", server.masks),
        WebSocketRoute("/live", server.watch),
    ]
    handlers = {EdgeTtvosError: _refused, asyncio.TimeoutError: _busy, Exception: _broken}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token)


class _Server:
    def __init__(self, live: Live, preview: Preview) -> None:
        self._live, self._preview = live, preview

    async def watch(self, socket: WebSocket) -> None:
        """Send pictures, one for each answer; at the end whoever pointed is done."""
        await socket.accept()
        who = secrets.token_hex(8)
        try:
            await socket.send_json({"you": who})
            with self._preview.viewer() as viewer:
                while True:
                    await socket.send_bytes(await viewer.next())
                    await socket.receive_text()
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the browser left
            pass
        finally:
            self._live.ask(lambda live: live.thaw(who))

    async def command(self, request: Request) -> Response:
        """Do what the page asks for."""
        if int(request.headers.get("content-length", LARGEST + 1)) > LARGEST:
            raise InputError(f"a command has at most {LARGEST} bytes")
        try:
            body = await request.json()
        except (JSONDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"a command is a JSON object: {error}") from error
        call = parse(request.path_params["command"], body)
        return JSONResponse(await self._asked(call), headers=HEADERS)

    async def still(self, request: Request) -> Response:
        """The last picture as the camera gave it."""
        outcome = self._live.session.last
        if outcome is None:
            raise InputError("no picture has come yet")
        jpeg = await asyncio.to_thread(encode, outcome.picture.shot.image, STILL_QUALITY)
        return Response(jpeg.tobytes(), media_type="image/jpeg", headers=HEADERS)

    async def video(self, request: Request) -> Response:
        """The last recording's video; one that still runs as far as it is."""
        recording = await self._recording()
        path = recording.folder / VIDEO
        if not path.exists():
            raise InputError("the recording has no picture yet")
        return _as_far_as_it_is(path, f"{recording.folder.name}.mp4", "video/mp4")

    async def masks(self, request: Request) -> Response:
        """The last recording's masks."""
        recording = await self._recording()
        path = await asyncio.to_thread(zipped, recording.folder)
        name = f"{recording.folder.name}-masks.zip"
        return FileResponse(path, filename=name, media_type="application/zip", headers=HEADERS)

    async def _recording(self) -> Recording:
        """The last one, whole if it is over."""
        recording = self._live.recording
        if recording is None:
            raise InputError("nothing has been recorded yet")
        if not recording.status.running:
            await asyncio.to_thread(recording.close)
        return recording

    async def _asked(self, what: Callable[[Live], dict[str, Any]]) -> dict[str, Any]:
        answer = asyncio.wrap_future(self._live.ask(what))
        return await asyncio.wait_for(answer, PATIENCE)


def _static(name: str) -> Endpoint:
    data = files("edge_ttvos.firmware_bridge.live").joinpath("page", name).read_bytes()
    kind = KINDS[name.rpartition(".")[2]]

    async def send(request: Request) -> Response:
        return Response(data, media_type=kind, headers=HEADERS)

    return send


def _as_far_as_it_is(path: Path, name: str, kind: str) -> Response:
    """A download of a file that may grow meanwhile."""
    size = path.stat().st_size
    more = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_pieces(path, size), media_type=kind, headers={**HEADERS, **more})


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    """A file's first ``size`` bytes."""
    with path.open("rb") as file:
        while piece := file.read(min(size, PIECE)):
            size -= len(piece)
            yield piece


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400, HEADERS)


async def _broken(request: Request, error: Exception) -> Response:
    said = f"unexpected {type(error).__name__}: {error}; this is a defect: please report it"
    return JSONResponse({"error": said}, 500, HEADERS)


async def _busy(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "the tracker does not answer: is it stuck?"}, 503, HEADERS)
