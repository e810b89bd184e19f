"""The networks and clips of the tracker's tests, for every engine."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parent.parent / "firmware_bridge" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("tracker_fixtures", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _MODULE  # dataclasses look their module up
_SPEC.loader.exec_module(_MODULE)

checkpoint = _MODULE.checkpoint
make_clip = _MODULE.make_clip
one_thread = _MODULE.one_thread
