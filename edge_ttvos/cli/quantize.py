"""``edge-ttvos quantize``: a float checkpoint becomes one of codes and scales."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import reason
from edge_ttvos.cli.host import host_modules
from edge_ttvos.cli.options import (
    JsonOption,
    ModelOption,
    OverwriteOption,
    QuietOption,
    VerboseOption,
    parse_size,
    screen,
)
from edge_ttvos.errors import OutputError
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.weights import find_checkpoint

METHODS = ("ptq", "qat")
RESULT = "quantize.json"


@dataclass(frozen=True)
class QuantizeConfig:
    """What ``quantize`` was asked for."""

    method: str
    bits: str | None
    recipe: Path | None
    model: str
    size: tuple[int, int] | None
    data: Path
    out: Path
    strict: bool
    resume: bool
    overwrite: bool


def quantize(
    method: Annotated[
        str, typer.Option("--method", metavar="ptq|qat", help="After training, or with training.")
    ],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The quantized model.")],
    bits: Annotated[
        str | None,
        typer.Option("--bits", metavar="w8a8[s8|sfloat]", help="Weights, activations, state."),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", metavar="FILE", help="A recipe in TOML.")
    ] = None,
    model: ModelOption = "default",
    size: Annotated[
        str | None,
        typer.Option(
            "--size", metavar="HxW", help="Calibrate at this size, and run at it; default: M's."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail rather than leave any operator in float.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted qat in --out.")
    ] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Quantize a network on its own recurrent states."""
    if method not in METHODS:
        raise typer.BadParameter(
            f"{method!r}: expected one of {', '.join(METHODS)}", param_hint="--method"
        )
    if resume and method != "qat":
        raise typer.BadParameter("only --method qat goes on", param_hint="--resume")
    if bits is None and recipe is None:
        raise typer.BadParameter("give --bits such as w8a8sfloat, or --recipe", param_hint="--bits")
    pixels = None if size is None else parse_size(size)
    config = QuantizeConfig(
        method, bits, recipe, model, pixels, data, out, strict, resume, overwrite
    )
    with screen(json, verbose, quiet) as show:
        run(config, show)


def run(config: QuantizeConfig, show: Screen) -> None:
    """Quantize; leaves quantized.safetensors and quantize.json (and qat.pt) in ``out``."""
    quantizing, recipes, checkpoints, pools = host_modules(
        "quantizing", "quantize.run", "quantize.recipe", "network.checkpoint", "data.pool"
    )
    recipe: Any = None if config.recipe is None else recipes.load_recipe(config.recipe)
    if config.bits is not None:
        recipe = recipes.parse_bits(config.bits, recipe)
    checkpoint = checkpoints.load_checkpoint(find_checkpoint(config.model))
    if not config.resume:
        kept = () if config.recipe is None else (str(config.recipe),)
        prepare_folder(config.out, quantizing.FILES, config.overwrite, keep=kept)
    with show.progress("read data") as line:
        pool = pools.load_pool(config.data, line.update)
    order = quantizing.Order(
        checkpoint, config.method, recipe, config.strict, config.size, config.resume
    )
    try:
        with show.progress(f"quantize {recipe.bits}") as line:
            done = quantizing.quantize(
                order, pool, config.out, lambda what, share: line.update(share, what)
            )
    except BaseException as error:
        with suppress(OutputError):  # the error that is under way matters more
            show.result(_record(config, order, {"reason": reason(error)}, False))
        raise
    result = _record(config, order, done.to_json(), True)
    write_json(config.out / RESULT, result)
    show.result(result)
    show_layers(done, show)


def show_layers(done: Any, show: Screen) -> None:
    """What is integer and what is not, and what to do next."""
    rows = []
    for precision in dict.fromkeys(layer[1] for layer in done.layers):
        same = [layer for layer in done.layers if layer[1] == precision]
        macs, weights = (sum(layer[index] for layer in same) for index in (2, 3))
        rows.append((precision, str(len(same)), f"{macs / 1e9:.2f}", f"{weights / 1e3:.0f}"))
    show.table("layers by precision", ("precision", "layers", "GMAC", "thousand weights"), rows)
    bits = ", ".join(f"{n} of {b} bits" if b else f"{n} float" for b, n in done.values.items())
    show.say(f"values between layers: {bits}")
    show.say(f"{done.path} ({done.bytes / 1e6:.2f} MB)")
    show.say(f"score it: edge-ttvos eval --model {done.path.parent} --dataset davis2016 …")


def _record(
    config: QuantizeConfig, order: Any, about: dict[str, Any], complete: bool
) -> dict[str, Any]:
    recipe, (height, width) = order.recipe, order.graph_size
    return {
        "schema": 1,
        "complete": complete,
        "method": config.method,
        "bits": recipe.bits,
        **about,
        "protocol": bare_protocol(
            resolution=f"{height}x{width}",
            objects=1,
            device=device(),
            seed=recipe.seed,
            model=config.model,
            precision=recipe.bits,
            sha256=order.checkpoint.sha256,
            recipe=recipe.name,
            calibration=vars(recipe.calibration),
        ),
    }
