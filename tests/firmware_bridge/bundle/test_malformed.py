"""Bundles that are spoilt on purpose: each is refused in its own words, as folder and archive."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

Spoil = Callable[[Any], None]
CASES: dict[str, tuple[Spoil, tuple[str, ...]]] = {}


def refused_for(*says: str) -> Callable[[Spoil], Spoil]:
    """Register a function that spoils a draft, with the words of its refusal."""

    def register(spoil: Spoil) -> Spoil:
        CASES[spoil.__name__] = (spoil, says)
        return spoil

    return register


def manifest(draft: Any, text: str | bytes) -> None:
    """Write manifest.json as it is given."""
    data = text.encode() if isinstance(text, str) else text
    (draft.folder / "manifest.json").write_bytes(data)


def swap(draft: Any, before: str, after: str) -> None:
    """Change manifest.json as text."""
    text = json.dumps(draft.table)
    assert before in text
    manifest(draft, text.replace(before, after, 1))


@refused_for("no manifest.json")
def no_manifest(draft: Any) -> None:
    (draft.folder / "manifest.json").unlink()


@refused_for("manifest.json", "Unterminated")
def manifest_cut_off(draft: Any) -> None:
    manifest(draft, json.dumps(draft.table)[:-10])


@refused_for("manifest.json", "Expecting")
def manifest_empty(draft: Any) -> None:
    manifest(draft, "")


@refused_for("manifest.json", "utf-8")
def manifest_in_latin1(draft: Any) -> None:
    manifest(draft, json.dumps(draft.table).replace("host", "h\xf6st").encode("latin-1"))


@refused_for("manifest.json", "table of keys and values")
def manifest_a_list(draft: Any) -> None:
    manifest(draft, "[1]")


@refused_for("manifest.json", "recursion")
def manifest_nested_deep(draft: Any) -> None:
    manifest(draft, "[" * 100_000)


@refused_for("manifest.json", "at most 1000000 bytes")
def manifest_oversize(draft: Any) -> None:
    manifest(draft, json.dumps(draft.table) + " " * 1_000_000)


@refused_for("NaN is no number")
def manifest_with_nan(draft: Any) -> None:
    swap(draft, '"J&F": 90.5', '"J&F": NaN')


@refused_for("J&F must be a finite number", "inf")
def manifest_with_infinity(draft: Any) -> None:
    swap(draft, '"J&F": 90.5', '"J&F": 1e999')


@refused_for("J&F must be a finite number")
def manifest_with_a_huge_number(draft: Any) -> None:
    swap(draft, '"J&F": 90.5', '"J&F": 1' + "0" * 400)


@refused_for("'target' stands twice")
def doubled_key(draft: Any) -> None:
    swap(draft, '"target": "host"', '"target": "host", "target": "host"')


@refused_for("a key must be printable")
def control_character_in_a_key(draft: Any) -> None:
    draft.table["\x1b[2J"] = 1
    draft.save()


@refused_for("schema must be a whole number")
def schema_is_text(draft: Any) -> None:
    draft.table["schema"] = "1"
    draft.save()


@refused_for("schema must be a whole number", "True")
def schema_is_true(draft: Any) -> None:
    draft.table["schema"] = True
    draft.save()


@refused_for("a whole number")
def schema_is_missing(draft: Any) -> None:
    del draft.table["schema"]
    draft.save()


@refused_for("unknown key extra", "known: ")
def unknown_key(draft: Any) -> None:
    draft.table["extra"] = 1
    draft.save()


@refused_for("graphs[0]: golden: unknown key extra")
def unknown_key_deep_inside(draft: Any) -> None:
    draft.graph["golden"]["extra"] = 1
    draft.save()


@refused_for("files: install.sh: unknown key mode")
def unknown_key_of_a_file(draft: Any) -> None:
    draft.table["files"]["install.sh"]["mode"] = 0o4755
    draft.save()


@refused_for("install.sh must have sha256")
def changed_file(draft: Any) -> None:
    (draft.folder / "install.sh").write_bytes(b"INSTALL.SH")


@refused_for("install.sh must have 10 bytes; got 9")
def shortened_file(draft: Any) -> None:
    (draft.folder / "install.sh").write_bytes(b"install.s")


@refused_for("sha256 must be 64 digits")
def hash_in_capitals(draft: Any) -> None:
    record = draft.table["files"]["install.sh"]
    record["sha256"] = record["sha256"].upper()
    draft.save()


@refused_for("bytes must be 0…64000000")
def negative_length(draft: Any) -> None:
    draft.table["files"]["install.sh"]["bytes"] = -1
    draft.save()


@refused_for("bytes must be 0…64000000", "64000001")
def oversize_member(draft: Any) -> None:
    draft.table["files"]["install.sh"]["bytes"] = 64_000_001
    draft.save()


@refused_for("all files together", "256000000")
def oversize_total(draft: Any) -> None:
    for record in draft.table["files"].values():
        record["bytes"] = 60_000_000
    draft.save()


@refused_for("at most 2000 files")
def too_many_files(draft: Any) -> None:
    for index in range(2000):
        draft.list(f"edge_ttvos-{index}.whl")
    draft.save()


@refused_for("install.sh is missing")
def missing_file(draft: Any) -> None:
    (draft.folder / "install.sh").unlink()


@refused_for("models/48x80/weights.bin is not in manifest.json")
def unlisted_file(draft: Any) -> None:
    (draft.folder / "models/48x80/weights.bin").write_bytes(b"1")


@refused_for("must not list what has no use", "weights.bin")
def file_without_a_use(draft: Any) -> None:
    draft.put("models/48x80/weights.bin", b"1")
    draft.save()


@refused_for("must not list", "manifest.json")
def manifest_lists_itself(draft: Any) -> None:
    draft.list("manifest.json")
    draft.save()


def rename(draft: Any, name: str) -> None:
    """Have the manifest call the first graph's encoder by another name."""
    files = draft.table["files"]
    files[name] = files.pop(draft.graph["encode"])
    draft.graph["encode"] = name
    draft.save()


@refused_for("is absolute")
def absolute_path(draft: Any) -> None:
    rename(draft, "/etc/passwd.tflite")


@refused_for("leads out of the bundle")
def path_that_climbs(draft: Any) -> None:
    rename(draft, "models/../../encode.tflite")


@refused_for("has a backslash")
def path_with_a_backslash(draft: Any) -> None:
    rename(draft, "models\\encode.tflite")


@refused_for("has a drive")
def path_with_a_drive(draft: Any) -> None:
    rename(draft, "C:encode.tflite")


@refused_for("has an empty part or '.'")
def path_with_an_empty_part(draft: Any) -> None:
    rename(draft, "models//encode.tflite")


@refused_for("at most 200 characters")
def path_too_long(draft: Any) -> None:
    rename(draft, "models/" + "e" * 187 + ".tflite")


@refused_for("no part may begin with")
def path_like_an_option(draft: Any) -> None:
    rename(draft, "-rf.tflite")


@refused_for("differ only in case")
def names_differing_in_case(draft: Any) -> None:
    draft.put("LICENSE", b"1")
    draft.list("License", b"1")
    draft.save()


@refused_for("both a file and a folder")
def file_and_folder(draft: Any) -> None:
    draft.list("models")
    draft.save()


@refused_for("every size must stand once", "(48, 80) 2 times")
def size_twice(draft: Any) -> None:
    draft.table["graphs"] *= 2
    draft.save()


@refused_for("multiples of 16", "(48, 90)")
def size_no_multiple_of_16(draft: Any) -> None:
    draft.graph["size"] = [48, 90]
    draft.save()


@refused_for("up to 4096")
def size_too_large(draft: Any) -> None:
    draft.graph["size"] = [16, 1 << 40]
    draft.save()


@refused_for("two whole numbers, height and width")
def size_of_three(draft: Any) -> None:
    draft.graph["size"] = [48, 80, 3]
    draft.save()


@refused_for("at least one")
def no_graph(draft: Any) -> None:
    draft.table["graphs"] = []
    draft.save()


@refused_for("it lacks", "models/48x80/absent.tflite")
def graph_not_among_the_files(draft: Any) -> None:
    draft.graph["embed"] = "models/48x80/absent.tflite"
    draft.save()


@refused_for("a file must have one use", "embed.tflite 2 times")
def one_file_for_two_graphs(draft: Any) -> None:
    draft.graph["decode"] = draft.graph["embed"]
    draft.save()


@refused_for("litert needs .tflite files", "install.sh")
def graph_of_another_suffix(draft: Any) -> None:
    draft.graph["embed"] = "install.sh"
    draft.save()


@refused_for("engine must be one of litert, onnxruntime, openvino", "pickle")
def unknown_engine(draft: Any) -> None:
    draft.table["engine"] = "pickle"
    draft.save()


@refused_for("at least 2; got 1 and 1")
def golden_clip_of_one_frame(draft: Any) -> None:
    golden = draft.graph["golden"]
    draft.graph["golden"] = {key: paths[:1] for key, paths in golden.items()}
    draft.save()


@refused_for("as many", "got 2 and 1")
def golden_masks_too_few(draft: Any) -> None:
    del draft.graph["golden"]["masks"][1]
    draft.save()


@refused_for("images must be .png; got 'install.sh'")
def golden_frame_of_another_suffix(draft: Any) -> None:
    draft.graph["golden"]["frames"][0] = "install.sh"
    draft.save()


@refused_for("00000.png is no PNG image")
def golden_frame_no_image(draft: Any) -> None:
    draft.put("golden/48x80/00000.png", b"GIF89a" * 10)
    draft.save()


@refused_for("at most 4096 pixels a side; got 45x100000")
def golden_frame_of_many_pixels(draft: Any) -> None:
    path = "golden/48x80/00000.png"
    image = (draft.folder / path).read_bytes()
    draft.put(path, image[:16] + (100_000).to_bytes(4, "big") + image[20:])
    draft.save()


@refused_for("of one size; got [(45, 78), (45, 79)]")
def golden_images_of_two_sizes(draft: Any) -> None:
    path = "golden/48x80/masks/00001.png"
    image = (draft.folder / path).read_bytes()
    draft.put(path, image[:16] + (79).to_bytes(4, "big") + image[20:])
    draft.save()


@refused_for("state of 48x80 must have s8 (6, 10, 32) float32; got s8 (6, 10, 33)")
def state_of_another_shape(draft: Any) -> None:
    draft.graph["state"][0]["shape"] = [6, 10, 33]
    draft.save()


@refused_for("state of 48x80 must have template (32, 32) float32; got pattern")
def state_of_another_name(draft: Any) -> None:
    draft.graph["state"][2]["name"] = "pattern"
    draft.save()


@refused_for("state of 48x80 must have lost_frames (1,) int32; got no more")
def state_that_lacks_a_buffer(draft: Any) -> None:
    del draft.graph["state"][-1]
    draft.save()


@refused_for("must have template (32, 32) float32; got template (32, 32) O")
def state_of_objects(draft: Any) -> None:
    draft.graph["state"][2]["dtype"] = "O"
    draft.save()


@refused_for("must have updates (1,) int32; got updates (1,) float32")
def counter_of_floats(draft: Any) -> None:
    draft.graph["state"][5]["dtype"] = "float32"
    draft.save()


def quantized(draft: Any, name: str = "s8", offset: int = 0, **codes: float) -> None:
    """Declare a tensor's codes; the first buffer of the state is s8."""
    quantization = {"scale": 0.5, "offset": offset, "bits": 8, **codes}
    draft.table["model"]["codes"] = [{"name": name, "quantization": quantization}]
    draft.graph["state"][0] |= {"dtype": "int8", "quantization": quantization}
    draft.save()


@refused_for("scale above 0; got 0")
def scale_of_nothing(draft: Any) -> None:
    quantized(draft, scale=0)


@refused_for("offset must be -128…127; got 128")
def offset_out_of_range(draft: Any) -> None:
    quantized(draft, offset=128)


@refused_for("bits must be 2…16; got 1")
def bits_out_of_range(draft: Any) -> None:
    quantized(draft, bits=1)


@refused_for("codes must be of a known tensor; got 'updates'")
def codes_of_a_counter(draft: Any) -> None:
    quantized(draft, "updates")


@refused_for("codes must name a tensor once")
def codes_twice(draft: Any) -> None:
    quantized(draft)
    draft.table["model"]["codes"] *= 2
    draft.save()


@refused_for("state of 48x80 must have s8 (6, 10, 32) float32; got s8 (6, 10, 32) int8")
def state_in_codes_that_the_model_has_not(draft: Any) -> None:
    quantized(draft)
    draft.table["model"]["codes"] = []
    draft.save()


@refused_for("mask_history must be 1…1024; got 1000000000")
def history_beyond_memory(draft: Any) -> None:
    draft.table["model"]["mask_history"] = 10**9
    draft.save()


@refused_for("update must be one of average, weighted, frozen")
def unknown_update_rule(draft: Any) -> None:
    draft.table["model"]["update"] = "eval"
    draft.save()


@refused_for("scaled_softmax must be true or false; got 1")
def number_for_a_truth(draft: Any) -> None:
    draft.table["model"]["scaled_softmax"] = 1
    draft.save()


@refused_for("colour must be one of RGB; got 'BGR'")
def blue_before_red(draft: Any) -> None:
    draft.table["preprocessing"]["colour"] = "BGR"
    draft.save()


@refused_for("mean must be a list of 3")
def grey_mean(draft: Any) -> None:
    draft.table["preprocessing"]["mean"] = [116]
    draft.save()


@refused_for("mean must be 0…255; got 256")
def mean_beyond_a_byte(draft: Any) -> None:
    draft.table["preprocessing"]["mean"][2] = 256
    draft.save()


@refused_for("border must be 1; got 0")
def no_border(draft: Any) -> None:
    draft.table["preprocessing"]["border"] = 0
    draft.save()


@refused_for("percent, 0…100, or null; got 100.5")
def more_than_all_percent(draft: Any) -> None:
    draft.table["float_scores"]["sequences"]["blackswan"]["J"] = 100.5
    draft.save()


@refused_for("a line must be a name and versions", "--index-url")
def option_among_the_requirements(draft: Any) -> None:
    draft.table["requirements"] = ["--index-url=example"]
    draft.save()


@refused_for("a line must be a name and versions")
def address_among_the_requirements(draft: Any) -> None:
    draft.table["requirements"] = ["numpy @ https://example.org/numpy.whl"]
    draft.save()


@refused_for("requirements must be a list; got 'numpy'")
def text_for_a_list(draft: Any) -> None:
    draft.table["requirements"] = "numpy"
    draft.save()


@refused_for("one printable line")
def escape_sequence_in_a_text(draft: Any) -> None:
    draft.table["target"] = "host\x1b[2J"
    draft.save()


@refused_for("encode.tflite is no LiteRT model")
def model_that_is_none(draft: Any) -> None:
    draft.put("models/48x80/encode.tflite", b"\x80\x04cos\nsystem\n")
    draft.save()


@refused_for("is a symbolic link")
def symbolic_link(draft: Any) -> None:
    (draft.folder / "install.sh").unlink()
    (draft.folder / "install.sh").symlink_to("requirements.txt")


@refused_for("is a symbolic link")
def symbolic_link_to_a_folder(draft: Any) -> None:
    (draft.folder / "golden").rename(draft.folder / "models" / "golden")
    (draft.folder / "golden").symlink_to("models/golden")


@refused_for("has a control character")
def symbolic_link_of_an_ugly_name(draft: Any) -> None:
    (draft.folder / "a\x1b[2J").symlink_to("install.sh")


@refused_for("no part may begin with", "'.hidden'")
def hidden_file(draft: Any) -> None:
    (draft.folder / ".hidden").write_bytes(b"")


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize("case", CASES)
def test_a_spoilt_bundle_is_refused(
    draft: Any,
    refused: Callable[..., None],
    zip_as_is: Callable[[Path], Path],
    case: str,
    packed: bool,
) -> None:
    spoil, says = CASES[case]
    spoil(draft)

    refused(zip_as_is(draft.folder) if packed else draft.folder, *says)


def tables(table: Any) -> list[dict[str, Any]]:
    """Each kind of table in a manifest that is a record, with all its keys."""
    (graph,) = table["graphs"]
    scores = table["float_scores"]
    return [
        table,
        table["created_by"],
        table["model"],
        table["preprocessing"],
        graph,
        graph["golden"],
        graph["state"][0],
        graph["state"][0]["quantization"],
        table["model"]["codes"][0],
        scores,
        scores["sequences"]["blackswan"],
        table["files"]["install.sh"],
    ]


def test_no_key_may_be_missing_or_of_another_kind(draft: Any, refused: Callable[..., None]) -> None:
    quantized(draft)
    keys = list(chain.from_iterable([(t, key) for key in t] for t in tables(draft.table)))
    assert len(keys) == 51

    for table, key in keys:
        value = table.pop(key)
        draft.save()
        refused(draft.folder, "schema" if key == "schema" else f"missing key {key}")
        table[key] = ["of", {"no": "kind"}]
        draft.save()
        refused(draft.folder, key, "must be")
        table[key] = value


def test_a_bundle_for_openvino_needs_its_weights(
    make_draft: Callable[..., Any], refused: Callable[..., None]
) -> None:
    draft = make_draft("openvino")
    del draft.table["files"]["models/48x80/embed.bin"]
    (draft.folder / "models/48x80/embed.bin").unlink()
    draft.save()

    refused(draft.folder, "it lacks", "models/48x80/embed.bin")


def test_a_bundle_for_onnx_runtime_is_walked(
    make_draft: Callable[..., Any], refused: Callable[..., None]
) -> None:
    draft = make_draft("onnxruntime")
    # ModelProto.graph (7) . initializer (5) . external_data (13)
    draft.put("models/48x80/embed.onnx", b"\x3a\x04\x2a\x02\x6a\x00")
    draft.save()

    refused(draft.folder, "embed.onnx has external data")


def test_a_hard_link_is_refused(draft: Any, refused: Callable[..., None], tmp_path: Path) -> None:
    os.link(draft.folder / "install.sh", tmp_path / "install.sh")

    refused(draft.folder, "install.sh is a hard link")


def test_a_pipe_is_refused_without_waiting_for_it(
    draft: Any, refused: Callable[..., None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.ettvos")
    refused(tmp_path / "pipe.ettvos", "neither a folder nor a file")

    (draft.folder / "install.sh").unlink()
    os.mkfifo(draft.folder / "install.sh")
    refused(draft.folder, "install.sh is a special file")


def test_endless_folders_are_refused(draft: Any, refused: Callable[..., None]) -> None:
    for index in range(4001):
        (draft.folder / f"e{index}").mkdir()

    refused(draft.folder, "at most 2000 files; got more")
