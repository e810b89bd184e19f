"""Every error that edge-ttvos raises on purpose.

    EdgeTtvosError
    ├── InputError            what the user handed in cannot be used
    │   ├── MaskError         a mask or a box of the wrong size, type or content
    │   ├── FrameError        a frame that cannot be read or has another size
    │   ├── SourceError       a video, folder or stream that cannot be opened
    │   │   └── CameraSetupError  one that needs something installed or typed otherwise
    │   └── DatasetError      a data set that is not laid out as expected
    ├── CapacityError         more objects than the arena has slots for
    ├── ModelError            a checkpoint or bundle that cannot be used
    │   └── BundleError       a bundle that is damaged, unsafe, or newer than its reader
    ├── ExportError           a network that no engine's file can be made of, or that differs there
    ├── EngineError           an inference engine that is missing or failed
    ├── OutputError           results that cannot be written, or must not be overwritten
    ├── QuantizationError     a recipe, layer, observer or model that cannot be quantized
    ├── ClusterError          worker processes that cannot be reached, or died
    ├── RemoteError           a board that cannot be reached, does not fit, or refused a deployment
    └── TrainingError         a recipe, checkpoint or loss that stops a training run

A message says what was expected, what was got and what to do next. The command line prints it as
one line and ends with exit code 1.
"""

from __future__ import annotations


class EdgeTtvosError(Exception):
    """Root of the tree: catch this to catch all errors raised on purpose."""


class InputError(EdgeTtvosError, ValueError):
    """What the user handed in cannot be used."""


class MaskError(InputError):
    """A mask or a box has the wrong size, type or content."""


class FrameError(InputError):
    """A frame cannot be read or has another size than the first."""


class SourceError(InputError):
    """A video, folder or stream cannot be opened or ended too early."""


class CameraSetupError(SourceError):
    """A camera that trying again does not open: install something, or name it otherwise."""


class DatasetError(InputError):
    """A data set is not laid out as expected."""


class CapacityError(EdgeTtvosError):
    """More objects were asked for than the arena has slots for."""


class ModelError(EdgeTtvosError):
    """A checkpoint or bundle is unreadable or does not fit its configuration."""


class BundleError(ModelError):
    """A bundle is damaged, unsafe, or of a newer schema than this version reads."""


class ExportError(EdgeTtvosError):
    """A network cannot be exported, or the exported graphs compute something else."""


class EngineError(EdgeTtvosError):
    """An inference engine is not installed, unknown, or failed."""


class OutputError(EdgeTtvosError):
    """Results cannot be written, or would overwrite others."""


class ClusterError(EdgeTtvosError):
    """A cluster or a process of it cannot be reached, or died."""


class RemoteError(EdgeTtvosError):
    """A board cannot be reached, does not fit, or refused or failed a deployment."""


class TrainingError(EdgeTtvosError):
    """A recipe, a checkpoint or a loss that stops a training run."""


class QuantizationError(EdgeTtvosError):
    """A recipe, a layer, an observer or a model that cannot be quantized."""
