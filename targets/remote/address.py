"""``user@host[:port]``, as ``--to`` takes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_ttvos.errors import InputError

FORM = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9.]+)?)\]|(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True)
class Address:
    """Where a board is.

    Attributes:
        user: None: as ~/.ssh/config says, else the user here.
        host: a name, an alias of ~/.ssh/config, or an IP address.
        port: None: as ~/.ssh/config says, else 22.
    """

    user: str | None
    host: str
    port: int | None

    @property
    def arguments(self) -> list[str]:
        """For ``ssh``."""
        user = [] if self.user is None else ["-l", self.user]
        port = [] if self.port is None else ["-p", str(self.port)]
        return [*user, *port, self.host]

    @property
    def typed(self) -> str:
        """As people type it behind ``ssh``."""
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f"-p {self.port} "
        return f"{port}{user}{self.host}"

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{user}{host}{port}"


def parse_address(text: str) -> Address:
    """The address that a text stands for; nothing in it can pass for an option of ``ssh``.

    Raises:
        InputError: it stands for none.
    """
    found = FORM.fullmatch(text)
    port = int(found["port"] or 22) if found else 0
    if found is None or not 0 < port < 65536:
        raise InputError(
            f"--to must be user@host or user@host:port, such as pi@raspberrypi.local; got {text!r}"
        )
    given = None if found["port"] is None else port
    return Address(found["user"], found["six"] or found["host"], given)
