"""How much of a bundle is read at most: more is no bundle, but a mistake or an attack."""

from __future__ import annotations

MAX_MANIFEST = 1_000_000  # bytes of manifest.json
MAX_MEMBER = 64_000_000  # bytes of a file, unpacked
MAX_TOTAL = 256_000_000  # bytes of all files, unpacked
MAX_MEMBERS = 2_000  # files, manifest.json included
MAX_DIRECTORY = 1_000_000  # bytes of an archive's table of contents
MAX_NAME = 200  # characters of a file's path inside the bundle
MAX_TEXT = 200  # characters of any text in the manifest
MAX_SIDE = 4_096  # pixels of a graph's or a golden frame's side
MAX_COUNT = 1_024  # of masks in the history or channels of the template
MAX_FIELDS = 250_000  # protobuf fields of an ONNX file, those of its tensors' values left out
MAX_DEPTH = 100  # nesting of protobuf messages; protobuf's own limit
CHUNK = 1 << 20  # bytes read at a time
