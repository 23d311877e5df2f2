"""Where outgoing HTTP never goes: the installation's own network (webhooks.md §1.9)."""

from __future__ import annotations

import socket

import pytest

from tallystick.ground.egress import Egress, is_public


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "user:pass@127.0.0.1",
        "public.example@127.0.0.1",
    ],
)
async def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    guarded = Egress(block_private=True)
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.setblocking(False)
        answer = await guarded.post(f"http://{host}:{receiver.getsockname()[1]}/", b"{}", {}, 10)
        with pytest.raises(BlockingIOError):  # nobody is waiting to be let in
            receiver.accept()
    await guarded.close()
    assert answer.status is None
    assert "refused" in str(answer.error) or "not a canonical" in str(answer.error)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.215.14",
        "172.32.0.1",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)
