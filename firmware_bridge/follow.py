"""Follow objects through one source into a folder: masks, overlay video, track.json's content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_ttvos.errors import CapacityError, InputError
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.overlay import draw
from edge_ttvos.firmware_bridge.prompts import Prompt, parse_prompts
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.sources import Frame, Source, Window
from edge_ttvos.firmware_bridge.tracker import ObjectState, Result, Tracker
from edge_ttvos.firmware_bridge.video_writer import VideoWriter

MASKS = "masks"
OVERLAY = "overlay.mp4"
RECORD = "track.json"
RESULTS = (MASKS, OVERLAY, RECORD)

Prompts = Mapping[int, Mapping[int, Prompt]]  # frame index → object id → mask or box


@dataclass
class ObjectRecord:
    """What became of one object: the frame that gave it, frames followed, frames out of sight."""

    given: str
    frames: int = 0
    lost_frames: int = 0
    last_seen: str | None = None

    def add(self, name: str, state: ObjectState) -> None:
        """One more frame."""
        self.frames += 1
        if state is ObjectState.LOST:
            self.lost_frames += 1
        else:
            self.last_seen = name


@dataclass
class FollowRecord:
    """A run's outcome so far, of constant size; ``to_json`` is track.json."""

    source: str
    frame_size: tuple[int, int]
    frames: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    objects: dict[int, ObjectRecord] = field(default_factory=dict)

    def add(self, name: str, states: Mapping[int, ObjectState]) -> None:
        """One more frame."""
        self.frames += 1
        for object_id, state in states.items():
            record = self.objects.setdefault(object_id, ObjectRecord(given=name))
            record.add(name, state)

    def to_json(self, tracker: Tracker, reason: str | None = None) -> dict[str, Any]:
        """The record; ``reason`` says why it is not complete."""
        return {
            "schema": 1,
            "complete": reason is None,
            **({} if reason is None else {"reason": reason}),
            "source": self.source,
            "frames": self.frames,
            "objects": {str(i): vars(record) for i, record in self.objects.items()},
            **self.latencies.to_json(),
            "protocol": {
                **protocol(tracker, self.frame_size),
                "objects": len(self.objects),
                "frames_timed": self.latencies.frames,
            },
        }


def check_prompts(prompts: Prompts, source: Source, window: Window, max_objects: int) -> None:
    """Refuse prompts that the source cannot serve, before anything is written.

    Args:
        prompts: by frame index in the whole recording, and object id.
        source: opened with ``window``.
        window: the part of the recording that is read.
        max_objects: slots of the tracker that will follow them.

    Raises:
        CapacityError: more objects than slots.
        MaskError: a mask or box that does not fit the source's frames.
        InputError: a frame that is not read.
    """
    wanted = len(set().union(*prompts.values()))
    if wanted > max_objects:
        raise CapacityError(
            f"{wanted} objects are given, but max_objects is {max_objects}: raise it "
            f"(--max-objects {wanted}) or give fewer. A mask with soft edges counts as many: "
            "save it with two values"
        )
    last = None if source.length is None else window.start + (source.length - 1) * window.stride
    for index, given in prompts.items():
        parse_prompts(given, *source.size)
        if not window.wants(index) or window.is_over(index) or (last is not None and index > last):
            raise InputError(
                f"an object is given at frame {index}, which is not among the frames read of "
                f"{source.name}: mind --start, --end and --stride"
            )


def follow(
    tracker: Tracker,
    source: Source,
    prompts: Prompts,
    folder: Path,
    record: FollowRecord,
    progress: Callable[[int], None] = lambda frames: None,
) -> None:
    """Follow objects from the frames that give them to the source's end.

    Masks are written frame by frame, the overlay as it goes: what was finished stays, whatever ends
    the run. ``record`` is filled on the way.

    Args:
        tracker: with enough slots.
        source: frames; those before the first prompt are shown without objects.
        prompts: by frame index in the source, and object id.
        folder: gets ``masks/`` and ``overlay.mp4``.
        record: of this run, empty.
        progress: called with the number of frames done.

    Raises:
        EdgeTtvosError: a frame, prompt or output that cannot be used.
    """
    masks = make_folder(folder / MASKS)
    started = False
    with VideoWriter(folder / OVERLAY, source.size, source.fps) as overlay:
        for frame in source:
            given = prompts.get(frame.index, {})
            if started:
                result = tracker.step(frame.image)
                record.latencies.add(result.timings)
                for object_id, prompt in given.items():
                    result = tracker.add(object_id, prompt)
            else:
                result = tracker.start(frame.image, given)
                started = True
            _write(frame, result, masks, overlay)
            record.add(frame.name, result.states)
            progress(record.frames)


def _write(frame: Frame, result: Result, masks: Path, overlay: VideoWriter) -> None:
    write_mask(masks / f"{frame.name}.png", result.mask)
    overlay.write(draw(frame.image, result.mask))
