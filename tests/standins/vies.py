"""A stand-in for the registry of VAT numbers: the last three digits of a number decide (integrations.md §13.6).

`100` exists, `200` does not, others fail in the registry's ways; `answer` overrules them for a number.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ERRORS = {
    "201": "INVALID_INPUT",
    "202": "INVALID_REQUESTER_INFO",
    "300": "SERVICE_UNAVAILABLE",
    "301": "MS_UNAVAILABLE",
    "302": "TIMEOUT",
    "400": "VAT_BLOCKED",
    "401": "IP_BLOCKED",
    "500": "GLOBAL_MAX_CONCURRENT_REQ",
    "501": "GLOBAL_MAX_CONCURRENT_REQ_TIME",
    "600": "MS_MAX_CONCURRENT_REQ",
    "601": "MS_MAX_CONCURRENT_REQ_TIME",
}
Reply = tuple[int, bytes]


def found(country: str, number: str, **more: Any) -> Reply:
    """The registry's word that a number exists."""
    body = {
        "countryCode": country,
        "vatNumber": number,
        "requestDate": "2026-03-01T09:00:00.000Z",
        "valid": True,
        "requestIdentifier": "",
        "name": "ACME SA",
        "address": "1 RUE X\n75001 PARIS",
        **more,
    }
    return 200, json.dumps(body).encode()


def failed(code: str, status: int = 500) -> Reply:
    """An error of the registry."""
    return status, json.dumps({"actionSucceed": False, "errorWrappers": [{"error": code}]}).encode()


class Vies:
    """A started registry; `questions` are what it was asked."""

    def __init__(self) -> None:
        self.questions: list[dict[str, Any]] = []
        self.answers: dict[str, Reply] = {}
        registry = self

        class Desk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                registry.questions.append({**asked, "path": self.path})
                status, body = registry.reply(asked)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self.server.server_port}/rest-api"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reply(self, asked: dict[str, Any]) -> Reply:
        """What is said of a number."""
        country, number = asked["countryCode"], asked["vatNumber"]
        if country + number in self.answers:
            return self.answers[country + number]
        code = ERRORS.get(number[-3:])
        if code is not None:
            return failed(code)
        identifier = "WAPI-1" if "requesterNumber" in asked else ""
        return found(country, number, valid=number.endswith("100"), requestIdentifier=identifier)

    def asked(self, number: str) -> int:
        """How often a number, with its prefix, was asked for."""
        return sum(each["countryCode"] + each["vatNumber"] == number for each in self.questions)

    def stop(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()
