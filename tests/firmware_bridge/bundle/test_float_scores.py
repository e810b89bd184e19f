"""What ``bench`` tells its loss against, where a bundle brings the float model's figures."""

from __future__ import annotations

from typing import Any

from edge_ttvos.firmware_bridge.bench.reference import Reference, find_reference


def test_a_bundle_brings_the_float_models_figures(draft: Any) -> None:
    draft.table["float_scores"]["sequences"]["empty"] = {"J&F": None, "J": None, "F": None}
    draft.save()

    reference = find_reference(None, str(draft.folder))

    assert (reference.source, reference.scores) == ("the bundle's manifest", {"blackswan": 90.5})


def test_figures_of_another_data_set_or_none_are_no_reference(draft: Any) -> None:
    for scores in ({**draft.table["float_scores"], "dataset": "davis2017"}, None):
        draft.table["float_scores"] = scores
        draft.save()

        assert find_reference(None, str(draft.folder)) == Reference()
