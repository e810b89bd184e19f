"""Holds a bundle's files to its manifest, and unpacks those of an archive on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from edge_ttvos.errors import OutputError
from edge_ttvos.firmware_bridge.box_head import read_weights
from edge_ttvos.firmware_bridge.bundle.contents import check_onnx, check_tflite, png_size
from edge_ttvos.firmware_bridge.bundle.limits import CHUNK, MAX_MANIFEST
from edge_ttvos.firmware_bridge.bundle.manifest import FileRecord, Manifest, parse_manifest
from edge_ttvos.firmware_bridge.bundle.paths import (
    BOX_HEAD,
    MANIFEST,
    check_names,
    check_sizes,
    compiled_path,
    fused_path,
)


class Members(Protocol):
    """Files of a bundle, wherever they stand: bytes of each by its path, and a way to them."""

    sizes: dict[str, int]

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A file's bytes."""


def verify(members: Members, folder: Path, *, unpack: bool) -> Manifest:
    """The manifest of a bundle whose files are all as it says; they then stand in the folder.

    Args:
        members: the bundle's files.
        folder: where they stand, or where they go.
        unpack: whether they still have to go there; what an error leaves is the caller's to remove.

    Raises:
        BundleError: the manifest cannot be used.
        ValueError: the files are not as it says, or hold what no engine should see.
        OutputError: there is no room to unpack them.
        OSError: they cannot be read.
    """
    check_names(members.sizes)
    check_sizes(members.sizes)
    if MANIFEST not in members.sizes:
        raise ValueError(f"it has no {MANIFEST}")
    with members.open(MANIFEST) as file:
        document = file.read(MAX_MANIFEST + 1)
    manifest = parse_manifest(document)
    _check_listing(members.sizes, manifest.files)
    if unpack:
        with writing(members.sizes):
            (folder / MANIFEST).write_bytes(document)
    for name, record in sorted(manifest.files.items()):
        target = folder / name if unpack else None
        _check_file(members, name, record, target)
    _check_contents(manifest, folder)
    return manifest


def _check_listing(sizes: Mapping[str, int], files: Mapping[str, FileRecord]) -> None:
    if missing := sorted(set(files) - set(sizes)):
        raise ValueError(f"{missing[0]} is missing ({len(missing)} in all)")
    if unlisted := sorted(set(sizes) - set(files) - {MANIFEST}):
        raise ValueError(f"{unlisted[0]} is not in {MANIFEST} ({len(unlisted)} in all)")
    for name, record in files.items():
        if sizes[name] != record.bytes:
            raise ValueError(f"{name} must have {record.bytes} bytes; got {sizes[name]}")


def _check_file(members: Members, name: str, record: FileRecord, target: Path | None) -> None:
    """Length and checksum; unpacks on the way where there is a target."""
    digest, left = hashlib.sha256(), record.bytes
    with members.open(name) as source, _created(target, members.sizes) as out:
        while chunk := source.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            if out is not None:
                with writing(members.sizes):
                    out.write(chunk)
    if left:
        raise ValueError(f"{name} must have {record.bytes} bytes; it holds more or fewer")
    if (got := digest.hexdigest()) != record.sha256:
        raise ValueError(f"{name} must have sha256 {record.sha256}; got {got}")


def _check_contents(manifest: Manifest, folder: Path) -> None:
    """What engines and decoders would do with the files."""
    if BOX_HEAD in manifest.files:
        with _calling(BOX_HEAD):
            read_weights((folder / BOX_HEAD).read_bytes())
    walks = {".onnx": check_onnx, ".tflite": check_tflite}
    for graph in manifest.graphs:
        beside = (*map(compiled_path, graph.paths), fused_path(graph.encode))
        for name in (*graph.paths, *(name for name in beside if name in manifest.files)):
            with _calling(name):
                if walk := walks.get(Path(name).suffix):
                    walk((folder / name).read_bytes())
        sizes = set()
        for name in (*graph.golden.frames, *graph.golden.masks):
            with _calling(name), (folder / name).open("rb") as file:
                sizes.add(png_size(file.read(24)))
        if len(sizes) > 1:
            raise ValueError(f"golden: images must be of one size; got {sorted(sizes)}")


@contextmanager
def _created(target: Path | None, sizes: Mapping[str, int]) -> Iterator[IO[bytes] | None]:
    """A new file, its folders made; None without a target."""
    if target is None:
        yield None
        return
    with writing(sizes):
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    try:
        yield file
    finally:
        with writing(sizes):
            file.close()


@contextmanager
def _calling(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


@contextmanager
def writing(sizes: Mapping[str, int]) -> Iterator[None]:
    """Errors that say what room an unpacked bundle needs; ``sizes`` are its files' bytes."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the bundle cannot be unpacked: {error.strerror}; it needs {sum(sizes.values())} "
            "bytes in the temporary folder: free them, or name another folder in TMPDIR"
        ) from error
