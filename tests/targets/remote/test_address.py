"""What ``--to`` takes, and that nothing of it can pass for an option."""

from __future__ import annotations

import pytest

from edge_ttvos.errors import InputError
from edge_ttvos.targets.remote.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("pi@raspberrypi", Address("pi", "raspberrypi", None)),
        ("pi@raspberrypi.local:2222", Address("pi", "raspberrypi.local", 2222)),
        ("board", Address(None, "board", None)),
        ("me@192.168.1.7:22", Address("me", "192.168.1.7", 22)),
        ("pi@[fe80::1%eth0]:22", Address("pi", "fe80::1%eth0", 22)),
        ("[::1]", Address(None, "::1", None)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pi@",
        "@host",
        "-oProxyCommand=sh@host",
        "pi@-oProxyCommand=sh",
        "pi@host:0",
        "pi@host:65536",
        "pi@host:ssh",
        "pi@host;reboot",
        "pi@fe80::1",
        "ssh://pi@host",
        "pi@host\n",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--to must be user@host or user@host:port"):
        parse_address(text)


def test_what_ssh_is_given_and_what_people_type() -> None:
    address = parse_address("pi@host:2222")
    assert address.arguments == ["-l", "pi", "-p", "2222", "host"]
    assert address.typed == "-p 2222 pi@host"
    assert parse_address("board").arguments == ["board"]
