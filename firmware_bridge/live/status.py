"""What the page is told with every picture: objects, speed, camera, machine, recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.outcome import Outcome, Seen
from edge_ttvos.firmware_bridge.live.supervisor import CameraStatus


class Status:
    """Describes a live run; reads only what may be read from any thread.

    Args:
        live: the run.
        camera: its camera's state.
        condition: the machine's, as JSON.
        source: the camera's name, for people.
    """

    def __init__(
        self,
        live: Live,
        camera: Callable[[], CameraStatus],
        condition: Callable[[], dict[str, Any]],
        source: str,
    ) -> None:
        self._live, self._camera, self._condition = live, camera, condition
        self._source = source

    def of(self, outcome: Outcome | None) -> dict[str, Any]:
        """Everything but the picture."""
        live, recording = self._live, self._live.recording
        return {
            "picture": None if outcome is None else _picture(outcome),
            **live.meter.now(),
            "frames": vars(live.slot.counts),
            "source": self._source,
            "camera": {**vars(self._camera()), "state": self._camera().state.value},
            "condition": self._condition(),
            "paused": live.paused,
            "pointing": live.pointing,
            "recording": None if recording is None else vars(recording.status),
        }


def _picture(outcome: Outcome) -> dict[str, Any]:
    height, width = outcome.picture.shot.image.shape[:2]
    return {
        "frame": outcome.picture.number,
        "size": [height, width],
        "late": outcome.late,
        "objects": [_object(seen) for seen in outcome.objects],
    }


def _object(seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.object_id,
        "name": seen.label.name,
        "colour": "#{:02x}{:02x}{:02x}".format(*seen.label.colour),
        "state": seen.state.value,
        "score": round(seen.score, 3),
    }
