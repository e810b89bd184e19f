"""``edge-ttvos deploy``: a checkpoint becomes a folder that runs, tests and measures itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.delivery import Remote, keep, named_bundle, send_bundle
from edge_ttvos.cli.host import host_modules
from edge_ttvos.cli.options import (
    JsonOption,
    ModelOption,
    OverwriteOption,
    QuietOption,
    ThreadsOption,
    VerboseOption,
    parse_size,
    screen,
)
from edge_ttvos.cli.process import held
from edge_ttvos.errors import RemoteError
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.weights import find_checkpoint

MODULES = ("deploy", "order", "base", "place", "real_data", "models")
COLUMNS = ("engine", "size", "least cosine", "largest error", "least J of a clip", "model ms")


@dataclass(frozen=True)
class DeployConfig:
    """What ``deploy`` was asked for."""

    target: str | None
    model: str
    sizes: tuple[tuple[int, int], ...]
    engine: str | None
    threads: int | None
    data: Path | None
    out: Path | None
    overwrite: bool
    sweep: bool
    to: str | None = None
    rollback: bool = False


def deploy(
    target: Annotated[
        str | None,
        typer.Option(
            "--target", metavar="T", help="The board: host, raspberry-pi, jetson or coral."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The bundle; DIR.ettvos is its archive."),
    ] = None,
    model: ModelOption = "default",
    size: Annotated[
        list[str] | None,
        typer.Option("--size", metavar="HxW", help="Size of a graph; again for more of them."),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine", metavar="E", help="One of the target's engines; default: its own."
        ),
    ] = None,
    threads: ThreadsOption = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Data folder: real clips, the float J&F."),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="coral: tell what maps at other sizes too.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="USER@HOST[:PORT]", help="Install it on this board too, over SSH."
        ),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="With --to alone: run again what ran there before.")
    ] = False,
    wheels: Annotated[
        Path | None,
        typer.Option(
            "--wheels", metavar="DIR", help="With --to: its packages, for a board without network."
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Make a bundle for a board: exported, compared with PyTorch, tested; and bring it there."""
    sizes = tuple(map(parse_size, size or []))
    config = DeployConfig(
        target, model, sizes, engine, threads, data, out, overwrite, sweep, to, rollback
    )
    _check(config)
    with screen(json, verbose, quiet) as show:
        remote = None if to is None else Remote(to, wheels)
        if remote is not None and rollback:
            remote.roll_back(show)
        elif remote is not None and (bundle := named_bundle(model)) is not None:
            send_bundle(bundle, target, remote, show)
        else:
            run(config, show, remote)


def _check(config: DeployConfig) -> None:
    """Refuse options that do not go together.

    Raises:
        typer.BadParameter: naming what is missing.
    """
    if config.rollback and config.to is None:
        raise typer.BadParameter("expected with --to user@host", param_hint="--rollback")
    if config.rollback or (config.to is not None and named_bundle(config.model) is not None):
        return
    for name, given in (("--target", config.target), ("--out", config.out)):
        if given is None:
            raise typer.BadParameter(
                "needed, unless --to goes with --rollback or with a bundle as --model",
                param_hint=name,
            )


def run(config: DeployConfig, show: Screen, remote: Remote | None = None) -> Any:
    """Deploy; nothing is left of it unless all went well."""
    assert config.target is not None
    assert config.out is not None
    targets, orders, catalogue, place, data, models = host_modules(
        "deploying", *(f"targets.{name}" for name in MODULES)
    )
    target = catalogue.find_target(config.target)
    place.check_place(config.out, config.overwrite)
    if remote is not None:
        remote.ask(target, show)
    with held():
        model = models.load_deployable(find_checkpoint(config.model))
    dataset = None if config.data is None else data.evaluation_part(config.data)
    clips = () if config.data is None else data.real_clips(config.data)
    order = orders.Order(
        target,
        model,
        config.sizes,
        config.engine,
        config.threads,
        clips,
        sweep=config.sweep,
    )

    def scores(listen: Any) -> Any:
        checkpoint = models.float_checkpoint(model)
        if dataset is None or checkpoint is None:
            return None
        return data.float_scores(checkpoint, order.graph_sizes[0], dataset, listen)

    with show.progress(f"deploy for {target.name}") as line:
        done = targets.deploy(order, config.out, scores, lambda what, s: line.update(s, what))
    show_deployment(done, show)
    answer = record(done, config, model)
    if remote is None:
        show.say(f"measure it: edge-ttvos bench {done.folder} --data DIR --out bench")
    else:
        answer["remote"] = _send(remote, done, show)
        keep(answer["remote"], done.folder, show)
    show.result(answer)
    return done


def _send(remote: Remote, done: Any, show: Screen) -> dict[str, Any]:
    """Send what was just made.

    Raises:
        RemoteError: something failed; how to send it without making it again is said too.
    """
    try:
        return remote.send(done.archive, show)
    except RemoteError as error:
        again = f"edge-ttvos deploy --model {done.folder} --to {remote.address}"
        raise RemoteError(f"{error}. The bundle is made; to send it: {again}") from error


def show_deployment(done: Any, show: Screen) -> None:
    """How close every engine came, how fast it is, and what to do with the bundle."""
    floats = done.beside.float_ms
    rows = [
        (
            parity.engine,
            f"{parity.size[0]}x{parity.size[1]}",
            f"{parity.worst.name} {parity.worst.cosine:.7f}",
            f"{max(tensor.share for tensor in parity.tensors):.1e}",
            f"{min(parity.clips.values()):.4f}",
            _milliseconds(done.model_ms, parity.engine),
            *((_milliseconds(floats, parity.engine),) if floats else ()),
        )
        for parity in done.parity
    ]
    show.table(
        "against PyTorch, on rolled-out states",
        (*COLUMNS, *(("float32 ms",) if floats else ())),
        rows,
    )
    told = Counter((f.file, f.operator or "the graph", f.verdict, f.message) for f in done.findings)
    for (file, operator, verdict, message), count in told.items():
        show.say(f"{file}: {count} {operator} {verdict}: {message}")
    if done.survey is not None:
        show.table(*done.survey.table())
        for note in done.survey.notes():
            show.say(note)
    for line in done.beside.told():
        show.say(line)
    show.say(
        f"{done.folder} for {done.engine} ({done.bytes / 1e6:.1f} MB as {done.archive.name}); "
        f"self-test passed at {len(done.golden)} size(s)"
    )


def _milliseconds(times: Mapping[str, float], engine: str) -> str:
    return f"{times[engine]:.1f}" if engine in times else "—"


def record(done: Any, config: DeployConfig, model: Any) -> dict[str, Any]:
    """The result as JSON."""
    sizes = [f"{run.size[0]}x{run.size[1]}" for run in done.golden]
    return {
        "schema": 1,
        "complete": True,
        "bundle": str(done.folder),
        "archive": str(done.archive),
        "archive_bytes": done.bytes,
        "engine": done.engine,
        "model_ms": dict(done.model_ms),
        "float32": done.beside.to_json(),
        "findings": [vars(finding) for finding in done.findings],
        "parity": [parity.to_json() for parity in done.parity],
        "selftest": [run.to_json() for run in done.golden],
        "accelerator": None if done.survey is None else done.survey.to_json(),
        "protocol": bare_protocol(
            target=config.target,
            resolution=", ".join(sizes),
            objects=1,
            threads=config.threads,
            engine=done.engine,
            engine_version=done.engine_version,
            device=device(),
            timed="model_ms: encode, embed and decode of a frame, median, engines in turn",
            model=config.model,
            precision=model.precision,
            sha256=model.sha256,
        ),
    }
