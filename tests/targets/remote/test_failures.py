"""Messages as OpenSSH prints them, and the one line that we make of them."""

from __future__ import annotations

import pytest

from edge_ttvos.targets.remote.address import parse_address
from edge_ttvos.targets.remote.failures import explain

CHANGED = """\
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ssh: Could not resolve hostname pi: Name or service not known", "there is no host pi"),
        ("ssh: connect to host pi port 22: Connection refused", "switch SSH on there"),
        ("ssh: connect to host pi port 22: No route to host", "is it on, and on this network"),
        ("ssh: connect to host pi port 22: Connection timed out", "does not answer"),
        (CHANGED, "ssh-keygen -R pi;"),
        ("Host key verification failed.", "accept it once with: ssh me@pi"),
        ("me@pi: Permission denied (publickey,password).", "ssh-copy-id me@pi"),
        ("Timeout, server pi not responding.", "the connection dropped; BEFORE. Send it again"),
        ("client_loop: send disconnect: Broken pipe", "the connection dropped"),
        ("Connection to pi closed by remote host.", "the connection dropped"),
        ("Connection closed by 10.0.0.2 port 22", "the connection dropped"),
        ("bash: line 1: exec: python3: not found", "no python3 on pi"),
        ("sh: 1: exec: python3: not found", "no python3 on pi"),
        ("something new\n\n", "(ssh: something new)"),
        ("", "the connection dropped; BEFORE."),
    ],
)
def test_every_failure_is_one_line_that_says_what_to_do(said: str, told: str) -> None:
    line = explain(parse_address("me@pi"), said, before="BEFORE")
    assert line.startswith("me@pi: ")
    assert told in line
    assert "\n" not in line


def test_another_port_has_its_own_known_host() -> None:
    assert "ssh-keygen -R '[pi]:2222'" in explain(parse_address("me@pi:2222"), CHANGED)
