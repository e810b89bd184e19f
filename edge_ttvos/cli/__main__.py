"""``python -m edge_ttvos.cli``."""

from edge_ttvos.cli import main

main()
