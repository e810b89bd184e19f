"""``deploy --to``: a bundle goes to a board, and what came of it is shown and kept."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from edge_ttvos.cli.console import Screen
from edge_ttvos.errors import InputError
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.bundle.archive import pack
from edge_ttvos.firmware_bridge.bundle.reader import is_bundle, open_bundle
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.weights import BUNDLES, find_model

REPORT = ".board.json"  # behind the bundle's name, beside it
COMMAND = "~/.local/share/edge-ttvos/current"


class Remote:
    """A board that ``--to`` names, and packages to bring along.

    Raises:
        InputError: the text names no board, or the folder holds no wheels.
    """

    def __init__(self, to: str, wheels: Path | None = None) -> None:
        self._parts = {
            name: importlib.import_module(f"edge_ttvos.targets.remote.{name}")
            for name in ("address", "ask", "send", "wheels")
        }
        self._wheels = None if wheels is None else self._parts["wheels"].wheels_in(wheels)
        self.address = self._parts["address"].parse_address(to)
        self.board: Any = None

    def ask(self, target: Any, show: Screen) -> None:
        """Ask what the board is, before any work is done for it.

        Raises:
            RemoteError: it cannot be reached or cannot run the target's bundles.
        """
        ask = self._parts["ask"]
        self.board = ask.ask(self.address)
        show.say(f"{self.address}: {self.board}")
        ask.require(self.board, target, self.address)
        if note := ask.untried(self.board, target):
            show.say(f"{self.address}: {note}")

    def send(self, archive: Path, show: Screen) -> dict[str, Any]:
        """Make an archive's bundle the board's; what it said.

        Raises:
            RemoteError: something failed; the board runs what it ran before.
        """
        with ExitStack() as stack:
            wheels = None
            if self._wheels is not None:
                wheels = stack.enter_context(self._parts["wheels"].packed(self._wheels))
            line = stack.enter_context(show.progress(f"deploy to {self.address}"))
            done = self._parts["send"].send(
                self.address, archive, wheels, lambda what, share: line.update(share, what)
            )
        record: dict[str, Any] = done.to_json(self.address, self.board)
        return record

    def roll_back(self, show: Screen) -> None:
        """Let the board run what it ran before.

        Raises:
            RemoteError: there is nothing to go back to.
        """
        now = self._parts["send"].roll_back(self.address)
        record = {"schema": 1, "complete": True, "to": str(self.address), **vars(now)}
        show.result({**record, "protocol": bare_protocol()})
        show.say(f"{self.address} runs {now.live} again; --rollback once more: {now.previous}")


def send_bundle(bundle: Path, target: str | None, remote: Remote, show: Screen) -> None:
    """Send a bundle that is there already.

    Raises:
        BundleError: it is damaged.
        InputError: it is for another target than the one asked for.
        RemoteError: the board does not fit, or something failed there.
    """
    base = importlib.import_module("edge_ttvos.targets.base")
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
    made_for = manifest.target
    if target not in (None, made_for):
        raise InputError(f"{bundle} is for {made_for}, not for {target}: leave --target out")
    remote.ask(base.find_target(made_for), show)
    with _archived(bundle) as archive:
        answer = remote.send(archive, show)
    shipped = bundle in BUNDLES.values()  # its folder is the package's, not the user's
    keep(answer, Path(bundle.name) if shipped else bundle, show)
    protocol = bare_protocol(
        target=made_for,
        engine=manifest.engine,
        model=manifest.model.name,
        precision=manifest.model.precision,
        sha256=manifest.model.sha256,
    )
    record = {"schema": 1, "complete": True, "bundle": str(bundle), "remote": answer}
    show.result({**record, "protocol": protocol})


def keep(answer: dict[str, Any], bundle: Path, show: Screen) -> None:
    """Write a board's report beside the bundle, and say what matters of it.

    Raises:
        OutputError: it cannot be written.
    """
    report = bundle.with_name(bundle.name.removesuffix(".ettvos") + REPORT)
    write_json(report, {"schema": 1, "complete": True, **answer, "protocol": bare_protocol()})
    seconds, bench = answer["seconds"], answer["bench"]
    show.table(
        f"{answer['to']}: seconds by stage",
        tuple(seconds),
        [tuple(f"{s:.1f}" for s in seconds.values())],
    )
    speed = bench["fps"]["end_to_end"]
    throttled = "; THROTTLED meanwhile" if bench["throttled"] else ""
    show.say(
        f"{answer['to']} runs {answer['live']}: {speed} frames/s on its golden clip{throttled}"
    )
    for check in answer["doctor"]["checks"]:
        if check["advice"]:
            show.say(f"{check['name']}: {check['finding']}; {check['advice']}", verbosity=1)
    show.say(f"there: {COMMAND}/venv/bin/edge-ttvos track SOURCE --model {COMMAND}/bundle …")
    show.say(f"report: {report}; back to what it ran before: --to {answer['to']} --rollback")


@contextmanager
def _archived(bundle: Path) -> Iterator[Path]:
    """The bundle's archive; made for the time being where it is a folder."""
    if bundle.is_file():
        yield bundle
        return
    with tempfile.TemporaryDirectory(prefix="edge-ttvos-") as folder:
        archive = Path(folder) / "bundle.ettvos"
        pack(bundle, archive)
        yield archive


def named_bundle(model: str) -> Path | None:
    """The bundle that ``--model`` names; None: it names something else."""
    bundle = Path(find_model(model))
    return bundle if is_bundle(bundle) else None
