from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.firmware_bridge import resident
from edge_ttvos.firmware_bridge.resident import Footprint

BYTES = 64 << 20


@pytest.mark.skipif(not resident.STATUS.exists(), reason="needs Linux's /proc")
def test_a_peak_that_has_passed_is_remembered_and_an_older_one_forgotten() -> None:
    np.ones(2 * BYTES, np.uint8).sum()  # an older peak
    if not resident.forget_peak():
        pytest.skip("this system does not let the peak start anew")
    footprint = Footprint()
    np.ones(BYTES, np.uint8).sum()
    footprint.note()

    record = footprint.to_json()
    grown = record["peak_rss_bytes"] - record["rss_before_bytes"]
    assert 0.9 * BYTES < grown < 1.5 * BYTES
    assert record["rss_after_bytes"] < record["peak_rss_bytes"]
    assert record["peak_since"] == "this run began"


def test_without_proc_the_process_own_peak_is_told(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATUS", "FORGET"):
        monkeypatch.setattr(resident, name, tmp_path / "absent" / "file")  # type: ignore[operator]
    footprint = Footprint()
    footprint.note()

    record = footprint.to_json()
    assert (record["rss_before_bytes"], record["rss_after_bytes"]) == (None, None)
    assert record["peak_rss_bytes"] > 1 << 20
    assert record["peak_since"] == "the process began"
