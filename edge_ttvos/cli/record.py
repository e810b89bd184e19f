"""A run's JSON in its folder: there from the first moment, and true whatever ends the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import reason
from edge_ttvos.errors import OutputError
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.output import spare_room

UNFINISHED = "not finished: the run is still going, or was killed"


@contextmanager
def recorded(
    show: Screen, file: Path, record: Callable[[str | None], dict[str, Any]]
) -> Iterator[None]:
    """Keep ``file`` up to date around a run.

    While the run goes, and where it is killed or the power fails, the file says ``UNFINISHED``;
    some space is held back, so that a run that fills the disk can still say so.

    Args:
        show: gets the result too.
        file: in an output folder that is ready.
        record: gives the JSON; its argument says why the run is not complete, None if it is.

    Raises:
        OutputError: the file cannot be written.
    """
    with closing(spare_room(file.parent)) as spare:
        write_json(file, record(UNFINISHED))
        try:
            yield
        except BaseException as error:
            spare.close()
            answer = record(reason(error))
            with suppress(OutputError):  # the error that is under way matters more
                write_json(file, answer)
            with suppress(OutputError):
                show.result(answer)
            raise
    show.result(record(None), file)
