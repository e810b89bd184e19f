"""The scales of many recipes from one calibration: what is seen does not depend on bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.quantize.calibrate import calibrate
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.recipe import Calibration, Recipe
from edge_ttvos.quantize.report.study import Size, Study, facts
from edge_ttvos.quantize.report.task import Result
from edge_ttvos.quantize.report.workshop import checkpoint_of, clips_of, graphs_of, scheme_table
from edge_ttvos.quantize.scheme import Owners, Scheme, build_scheme

PIXELS_A_SECOND = 1.3e6  # of the float model through the observers, one core


@dataclass(frozen=True)
class Calibrate:
    """One rollout of the float model, and a scheme for each recipe.

    Attributes:
        study: gives model and data.
        size: that it runs at.
        plan: which frames.
        recipes: all of this plan.
    """

    study: Study
    size: Size
    plan: Calibration
    recipes: tuple[Recipe, ...]

    @property
    def name(self) -> str:
        """By size and kind of rollout."""
        kind = "rolled-out" if self.plan.rolled_out else "independent"
        return f"parts/calibration-{self.size[0]}x{self.size[1]}-{kind}"

    @property
    def cost(self) -> float:
        """Seconds."""
        frames = self.plan.frames if self.plan.rolled_out else 2 * self.plan.seen
        return self.plan.sequences * frames * self.size[0] * self.size[1] / PIXELS_A_SECOND

    def identity(self) -> dict[str, Any]:
        """Size, plan and recipes."""
        recipes = [facts(recipe) for recipe in self.recipes]
        return {"size": self.size, "plan": vars(self.plan), "recipes": recipes}

    def run(self) -> Result:
        """``{"schemes": […]}`` in the order of the recipes."""
        graphs, clips = graphs_of(self.study, self.size), clips_of(self.study, self.plan)
        frame = FrameSpec(*self.size)
        seen = calibrate(checkpoint_of(self.study), frame, graphs, clips, self.plan)
        with torch.no_grad():
            schemes = [build_scheme(graphs, recipe, seen) for recipe in self.recipes]
        return {"schemes": [scheme_table(scheme) for scheme in schemes]}


def widened(graphs: tuple[Graph, ...], recipe: Recipe) -> Recipe:
    """The recipe with every layer's result in 16 bits: the other half of ``combined``."""
    layers = tuple(node.name for graph in graphs for node in graph.layers)
    return replace(recipe, float_layers=(), wide_layers=layers)


def combined(graphs: tuple[Graph, ...], recipe: Recipe, narrow: Scheme, wide: Scheme) -> Scheme:
    """What ``build_scheme`` gives for a recipe with float and wide layers, without what was seen.

    Args:
        graphs: of the model.
        recipe: with exceptions.
        narrow: scales of the recipe without any.
        wide: of ``widened``.
    """
    owners, values = Owners(graphs), {}
    for name, codes in narrow.values.items():
        layer = owners.of(name).partition("/")[2]
        if layer in recipe.wide_layers:
            values[name] = wide.values[name]
        elif layer not in recipe.float_layers:
            values[name] = codes
    return Scheme(values, narrow.template)
