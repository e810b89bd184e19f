"""What ``ssh`` says when it fails, and what to do about it: text in, text out."""

from __future__ import annotations

import re

from edge_ttvos.targets.remote.address import Address

AS_BEFORE = "the board runs what it ran before"
DROPPED = "the connection dropped; {before}. Send it again: the copy goes on where it ended"

# In this order: ssh says several of them at once.
KNOWN: tuple[tuple[str, str], ...] = (
    (
        "Could not resolve hostname",
        "there is no host {host}: see to its name, or take its IP address",
    ),
    (
        "Connection refused",
        "{host} answers, but not to SSH on this port: switch SSH on there (sudo systemctl enable "
        "--now ssh), or give another port with --to user@host:port",
    ),
    (
        "No route to host|Network is unreachable|Connection timed out|Operation timed out",
        "{host} does not answer: is it on, and on this network?",
    ),
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "{host} shows another host key than the one known here: if the board was flashed anew, "
        "type: ssh-keygen -R {key}; if not, somebody may be in between",
    ),
    (
        "Host key verification failed",
        "{host} is not known here yet: compare its key and accept it once with: ssh {typed}",
    ),
    (
        "Permission denied|Too many authentication failures",
        "{host} does not let this key in; passwords are not asked for. Type: ssh-copy-id {typed}",
    ),
    (
        "Connection (?:to .* )?(?:closed|reset)|Broken pipe|Timeout, server|kex_exchange",
        DROPPED,
    ),
    (
        "python3:? .*not found|not found.*python3|python3: No such file",
        "there is no python3 on {host}; type there: sudo apt install -y python3-venv",
    ),
)


def explain(address: Address, said: str, before: str = AS_BEFORE) -> str:
    """Why a connection failed and what to do, in one line.

    Args:
        address: of the board.
        said: by ``ssh`` and by the board, on stderr.
        before: what the board runs now.
    """
    port = address.port or 22
    key = address.host if port == 22 else f"'[{address.host}]:{port}'"
    for pattern, advice in KNOWN:
        if re.search(pattern, said, re.IGNORECASE):
            facts = {"host": address.host, "typed": address.typed, "key": key, "before": before}
            return f"{address}: {advice.format(**facts)}"
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    return f"{address}: {DROPPED.format(before=before)}{f' (ssh: {last})' if last else ''}"
