"""Hosts that cannot be reached, or should not be: one clear line each."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.remote.ask import ask
from edge_ttvos.targets.remote.send import send


def test_a_login_script_that_talks_does_no_harm(serve: Any, toy: Any, stand_in: Any) -> None:
    shim = f'echo "Welcome, {{you}}"; exec {sys.executable} "$@"'
    server = serve({"PATH": stand_in({"python3": shim})})
    assert ask(server.address).bits == 64
    send(server.address, toy("one"))
    assert server.runs == "one"


def test_a_host_that_is_not_known_yet(serve: Any) -> None:
    server = serve(known=False)
    with pytest.raises(RemoteError, match=r"not known here yet.*once with: ssh -p"):
        ask(server.address)


def test_a_host_with_another_key(serve: Any) -> None:
    first, second = serve(), serve()
    hosts = next(Path(p) for p in os.environ["PATH"].split(":")).parent / "known_hosts"
    other = first.home.parent / "host.pub"
    hosts.write_text(f"[127.0.0.1]:{second.address.port} {other.read_text()}")
    with pytest.raises(RemoteError, match=r"another host key.*ssh-keygen -R '.127"):
        ask(second.address)


def test_a_key_that_is_not_let_in(serve: Any) -> None:
    server = serve()
    (server.home.parent / "client.pub").write_text("")
    with pytest.raises(RemoteError, match=r"passwords are not asked for. Type: ssh-copy-id"):
        ask(server.address)


def test_a_host_that_refuses_and_one_that_is_not_there(serve: Any) -> None:
    address = serve().address
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refusing = replace(address, port=closed.getsockname()[1])
        with pytest.raises(RemoteError, match="not to SSH on this port"):
            ask(refusing)
    with pytest.raises(RemoteError, match=r"there is no host nowhere.invalid"):
        ask(replace(address, host="nowhere.invalid"))


def test_a_host_that_hangs_up_at_once(serve: Any) -> None:
    server = serve({"PATH": "/bin"})
    server.process.kill()
    server.process.wait()
    with pytest.raises(RemoteError, match="not to SSH on this port"):
        ask(server.address)


def test_without_ssh_it_says_what_to_install(serve: Any, monkeypatch: Any) -> None:
    address = serve().address
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RemoteError, match="apt install -y openssh-client"):
        ask(address)
