"""The command line: ``edge-ttvos track | eval | train | quantize | deploy | …``.

A verb parses its options into one frozen record, makes one library call, and shows a table and
JSON. Exit codes: 0 success, 1 a typed error (one message), 2 usage, 130 interrupted.
"""

from __future__ import annotations

from edge_ttvos.cli.process import held, orderly


def main() -> None:
    """The ``edge-ttvos`` command: all imports happen inside, where Ctrl-C already ends in order."""
    with orderly():
        with held():
            from edge_ttvos.cli.app import app

        app()
