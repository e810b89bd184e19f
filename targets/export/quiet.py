"""Exporters talk a great deal, past Python's own streams: kept aside, and shown if they fail."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from edge_ttvos.errors import ExportError

LAST_WORDS = 400  # characters of what an exporter said before it failed


@contextmanager
def quietly(what: str) -> Iterator[None]:
    """Nothing reaches stdout or stderr inside, whoever writes it.

    Args:
        what: is being exported, for the message.

    Raises:
        ExportError: whatever was raised inside, with the last that was said before it.
        ModuleNotFoundError: what the exporter needs is not installed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    disabled = logging.root.manager.disable
    with tempfile.TemporaryFile() as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        kept = [os.dup(1), os.dup(2)]
        try:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            yield
        except ModuleNotFoundError:
            raise  # says by itself what to install
        except Exception as error:
            said.seek(0)
            words = said.read().decode("utf-8", "replace")[-LAST_WORDS:].strip()
            line = str(error).strip().splitlines() or [type(error).__name__]
            raise ExportError(f"{what} cannot be exported: {line[0]}. {words}".strip()) from error
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            logging.disable(disabled)
