"""Outgoing HTTP over real sockets: what is sent and what counts as an answer (webhooks.md §1.3, §1.6)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tallystick.ground.egress import BODY_LIMIT, USER_AGENT, Answer, Egress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """An HTTP receiver that notes what comes and answers what the test says."""

    reply: bytes | Reply = OK
    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                if not isinstance(self.reply, bytes):
                    await self.reply(writer)
                    return
                writer.write(self.reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(receiver: Receiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@pytest_asyncio.fixture
async def egress() -> AsyncIterator[Egress]:
    pool = Egress(block_private=False)
    yield pool
    await pool.close()


async def post(pool: Egress, url: str, body: bytes = b"{}", seconds: float = 10) -> Answer:
    return await pool.post(url, body, {"Content-Type": "application/json", "X-Lago-Unique-Key": "k"}, seconds)


async def test_the_request_goes_out_as_given(egress: Egress) -> None:
    async with listening(
        Receiver(b"HTTP/1.1 202 Accepted\r\nX-Seen: yes\r\nContent-Length: 4\r\n\r\nwell")
    ) as receiver:
        answer = await post(egress, f"http://localhost:{receiver.port}/a%7Eb/?q=%2F+%41&r=1#part", b'{"a":1}')
    assert (answer.status, answer.body, answer.headers["x-seen"], answer.error) == (202, b"well", "yes", None)
    line, *headers = receiver.heads[0].strip().split("\r\n")
    assert line == "POST /a%7Eb/?q=%2F+%41&r=1 HTTP/1.1"
    sent = {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}
    assert sent["host"] == f"localhost:{receiver.port}"
    assert sent["content-type"] == "application/json"
    assert sent["x-lago-unique-key"] == "k"
    assert sent["user-agent"] == USER_AGENT
    assert USER_AGENT.startswith("Tallystick-Webhooks/0.")
    assert "authorization" not in sent
    assert receiver.bodies == [b'{"a":1}']


async def test_a_url_http_cannot_carry_raw_is_encoded(egress: Egress) -> None:
    async with listening(Receiver()) as receiver:
        assert (await post(egress, receiver.url + "/caf\u00e9 one?x=\r\nX-Smuggled:1")).status == 200
    assert receiver.heads[0].startswith("POST /hook/caf%C3%A9%20one?x=")
    assert "\nX-Smuggled" not in receiver.heads[0]


async def test_credentials_in_the_url_become_basic_auth(egress: Egress) -> None:
    async with listening(Receiver()) as receiver:
        assert (await post(egress, f"http://us%40er:p%3Ass@127.0.0.1:{receiver.port}/")).status == 200
    assert "\r\nAuthorization: Basic dXNAZXI6cDpzcw==\r\n" in receiver.heads[0]
    assert "us%40er" not in receiver.heads[0]


async def test_connections_are_kept_and_used_again(egress: Egress) -> None:
    async with listening(Receiver()) as receiver:
        assert [(await post(egress, receiver.url)).status for _ in range(5)] == [200] * 5
        assert receiver.connections == 1


async def test_redirects_are_not_followed(egress: Egress) -> None:
    async with listening(Receiver()) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(Receiver(moved)) as receiver:
            answer = await post(egress, receiver.url)
    assert (answer.status, answer.headers["location"]) == (307, elsewhere.url)
    assert elsewhere.connections == 0


async def test_proxies_of_the_environment_are_not_used(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with listening(Receiver()) as receiver:
        assert (await post(egress, receiver.url)).status == 200


async def test_a_compressed_body_stays_as_it_came(egress: Egress) -> None:
    async with listening(Receiver(OK.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))) as receiver:
        answer = await post(egress, receiver.url)
    assert (answer.status, answer.body) == (200, b"ok")


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 Oops\r\n\r\n")
    while True:
        writer.write(b"x" * 8192)
        await writer.drain()


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, endless],
    ids=["long", "endless"],
)
async def test_big_bodies_are_cut(egress: Egress, reply: bytes | Reply) -> None:
    async with listening(Receiver(reply)) as receiver:
        answer = await post(egress, receiver.url)
    assert (answer.status, answer.body) == (500, b"x" * BODY_LIMIT)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closing(text: bytes) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    return reply


@pytest.mark.parametrize(
    "reply",
    [
        reset,
        closing(b""),
        closing(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        closing(b"HTTP/1.1 abc OK\r\n\r\n"),
        closing(b"HTTP/1.1 200 OK\r\nContent-Le"),
        closing(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        closing(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"),
    ],
    ids=["reset", "closed", "not http", "no status", "half a head", "half a body", "bad chunk", "huge header"],
)
async def test_broken_http_is_an_error(egress: Egress, reply: Reply) -> None:
    async with listening(Receiver(reply)) as receiver:
        answer = await post(egress, receiver.url)
    assert (answer.status, answer.body, dict(answer.headers)) == (None, b"", {})
    assert answer.error


async def test_exactly_one_request_per_post(egress: Egress) -> None:
    async with listening(Receiver(closing(b""))) as receiver:
        await post(egress, receiver.url)
        await post(egress, receiver.url)
    assert len(receiver.heads) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://nowhere.invalid/",
        "http://" + "a" * 70 + ".example/",
        "http://127.0.0.1:99999/",
        "http://:80/",
        "http://\u00fc\u00fc..example/",
        "ftp://127.0.0.1/",
        "hook",
        "",
    ],
)
async def test_an_impossible_url_is_an_error(egress: Egress, url: str) -> None:
    answer = await post(egress, url)
    assert answer.status is None
    assert answer.error


async def test_a_refused_connection_is_an_error(egress: Egress) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = await post(egress, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert answer.status is None
    assert "127.0.0.1" in str(answer.error)


async def half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await asyncio.sleep(5)


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("scheme", "body"), [("http", b"{}"), ("http", b"x" * 40_000_000), ("https", b"{}")], ids=["read", "write", "open"]
)
async def test_a_receiver_that_never_answers_times_out(egress: Egress, scheme: str, body: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system connects, nobody reads
        answer = await post(egress, f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/", body, seconds=0.2)
    assert answer.status is None
    assert "Timeout" in str(answer.error)


@pytest.mark.parametrize("reply", [half, dripping])
async def test_an_answer_that_never_ends_times_out(egress: Egress, reply: Reply) -> None:
    async with listening(Receiver(reply)) as receiver:
        answer = await post(egress, receiver.url, seconds=0.2)
    assert answer.status is None
    assert "Timeout" in str(answer.error)


async def test_tls_names_the_host_and_verifies_the_certificate(egress: Egress, tmp_path: Path) -> None:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "cert.pem"))
    context.sni_callback = lambda _, name, __: names.append(name)
    async with listening(Receiver(), context) as receiver:
        answer = await post(egress, f"https://localhost:{receiver.port}/")
    assert answer.status is None
    assert "CERTIFICATE_VERIFY_FAILED" in str(answer.error)
    assert set(names) == {"localhost"}


def self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
