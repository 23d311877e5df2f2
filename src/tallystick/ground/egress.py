"""Outgoing HTTP to addresses customers chose: one POST, one answer, and no way into the installation's own network.

Not for calls to providers, whose addresses the installation knows; nothing here retries, signs or records.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import (
    BytesPayload,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, AbstractStreamWriter, ResolveResult
from yarl import URL

USER_AGENT = f"Tallystick-Webhooks/{version('tallystick')}"
BODY_LIMIT = 64 * 1024

# Shorter than common servers keep an idle connection (2 s and up): a request on a connection the receiver is just
# closing would be a failed attempt.
_KEEP_ALIVE_SECONDS = 1.5
_HEADER_LIMIT = 64 * 1024
# Name lookups block a thread; slow name servers of a few customers must not hold up everyone's.
_LOOKUP_THREADS = 32
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# Addresses that ipaddress, in some versions of Python, calls global and that are no receiver's: protocol assignments,
# relay anycast and a cloud's metadata in IPv4, protocol assignments and documentation in IPv6.
_REFUSED_IPV4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))
_REFUSED_IPV6 = (IPv6Network("2001::/23"), IPv6Network("3fff::/20"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request: an HTTP status with the first 64 KiB of the body, or no status and an error text.

    `headers` is case-insensitive when there is a status, else empty.
    """

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


def is_public(address: str) -> bool:
    """Tell whether a numeric IP address is an ordinary one of the public internet (webhooks.md §1.9).

    False for private, loopback, link-local, multicast, unspecified, carrier NAT, reserved and metadata addresses, also
    when an IPv6 address embeds one (IPv4-mapped, 6to4, NAT64). ValueError when it is not an IP address.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast and not any(ip in net for net in _REFUSED_IPV4)
    embedded = _embedded(ip)
    if embedded is not None:
        return is_public(str(embedded))
    return ip in _GLOBAL_IPV6 and ip.is_global and not any(ip in net for net in _REFUSED_IPV6)


class Egress:
    """A pool of connections to customers' receivers; make one per event loop and close it at the end."""

    def __init__(self, block_private: bool) -> None:
        """`block_private` refuses every address that is not public (`TALLYSTICK_WEBHOOK_BLOCK_PRIVATE`)."""
        self._block_private = block_private
        self._lookups = _Lookups()
        self._session: ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Send exactly one POST and return its answer (webhooks.md §1.3, §1.6); no network failure is raised.

        `timeout_seconds` holds for opening (lookup, connection, TLS), for writing and for each read, and three times
        as long for the whole, so that a receiver that answers in drops is given up too.
        """
        # A read timeout starts only after the body is written, which has its own in _TimedBody.
        timeout = ClientTimeout(total=3 * timeout_seconds, connect=timeout_seconds, sock_read=timeout_seconds)
        try:
            async with self._opened().post(
                _target(url),
                data=_TimedBody(body, timeout_seconds),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                return Answer(response.status, await _first_bytes(response), response.headers)
        # OSError includes TimeoutError; ValueError is what the libraries raise for an impossible host name, port,
        # credentials or header.
        except (ClientError, OSError, ValueError) as error:
            return Answer(None, error=f"{type(error).__name__}: {error}".removesuffix(": "))

    async def close(self) -> None:
        """Close all connections; nothing can be sent any more."""
        await self._lookups.close()
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> ClientSession:
        """Return the session, made at first use because it belongs to the running event loop."""
        if self._session is None:
            connector = TCPConnector(
                limit=0,  # the dispatcher limits each endpoint; waiting here would eat into the open timeout
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                resolver=self._lookups,
                socket_factory=self._socket,
            )
            self._session = ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                auto_decompress=False,  # a small compressed body may be a huge one
                trust_env=False,
                max_line_size=_HEADER_LIMIT,
                max_field_size=_HEADER_LIMIT,
            )
        return self._session

    def _socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """Make the socket for an address just before the connection to that same address.

        Checking here and not in the lookup covers hosts written as numbers, and leaves a second lookup no chance to
        answer something else.
        """
        family, kind, protocol, _, address = info
        if self._block_private and not is_public(str(address[0])):
            raise PermissionError(errno.EACCES, "private and reserved addresses are refused")
        return socket.socket(family, kind, protocol)


class _Lookups(AbstractResolver):
    """Looks names up as the system does, on threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        def look_up() -> list[ResolveResult]:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            return [
                ResolveResult(
                    hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=_NUMERIC
                )
                for kind, _, protocol, _, address in found
            ]

        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _TimedBody(BytesPayload):
    """A request body with a write timeout, which the HTTP client does not have: large ones wait for a slow reader."""

    def __init__(self, body: bytes, timeout_seconds: float) -> None:
        super().__init__(body)
        self._timeout_seconds = timeout_seconds

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        async with asyncio.timeout(self._timeout_seconds):
            await super().write_with_length(writer, content_length)


def _target(url: str) -> URL:
    """Parse the URL so that it goes out as registered; only what HTTP cannot carry raw is percent-encoded."""
    return URL(url, encoded=re.fullmatch(r"[!-~]+", url) is not None)


async def _first_bytes(response: ClientResponse) -> bytes:
    """Read the body up to the limit; a connection with an unread rest is dropped when the response is released."""
    body = bytearray()
    while len(body) < BODY_LIMIT and (chunk := await response.content.read(BODY_LIMIT - len(body))):
        body += chunk
    return bytes(body)


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour
