"""A webhook receiver as a customer of the API would write one: checks each signature and keeps what was sent.

It listens on loopback, on a free port, in threads of its own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt


@dataclass(frozen=True, slots=True)
class Received:
    """One webhook: its type, the algorithm of its signature, and whether that was right."""

    webhook_type: str
    algorithm: str
    verified: bool
    body: dict[str, Any]


class Receiver:
    """Receives webhooks at `url`; give it both keys before the first one is sent."""

    def __init__(self) -> None:
        self.public_key = b""
        self.hmac_key = ""
        self._received: list[Received] = []
        self._lock = threading.Lock()
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                verified = receiver.take(raw, self.headers.get("x-lago-signature", ""), self.algorithm())
                self.send_response(200 if verified else 401)
                self.send_header("content-length", "0")
                self.end_headers()

            def algorithm(self) -> str:
                return self.headers.get("x-lago-signature-algorithm", "")

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="webhook receiver", daemon=True).start()

    def take(self, raw: bytes, signature: str, algorithm: str) -> bool:
        """Check and keep one webhook; whether its signature is right."""
        verified = self._verifies(raw, signature, algorithm)
        body = json.loads(raw) if verified else {}
        with self._lock:
            self._received.append(Received(body.get("webhook_type", "unknown"), algorithm, verified, body))
        return verified

    def received(self) -> list[Received]:
        """All that came so far, in order of arrival."""
        with self._lock:
            return list(self._received)

    def count(self) -> Counter[tuple[str, str]]:
        """(type, algorithm) -> how many verified webhooks came."""
        return Counter((each.webhook_type, each.algorithm) for each in self.received() if each.verified)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _verifies(self, raw: bytes, signature: str, algorithm: str) -> bool:
        """The two checks of the manual: an RS256 token around the body, or base64 of its HMAC-SHA256."""
        if algorithm == "hmac":
            digest = hmac.new(self.hmac_key.encode(), raw, hashlib.sha256).digest()
            return hmac.compare_digest(base64.b64encode(digest).decode(), signature)
        try:
            claims = jwt.decode(signature, self.public_key, algorithms=["RS256"])
        except jwt.InvalidTokenError:
            return False
        return bool(claims["data"] == raw.decode())
