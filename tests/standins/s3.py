"""An object store that speaks like S3, in memory."""

from __future__ import annotations

import httpx
from moto.server import ThreadedMotoServer


class ObjectStore:
    """A running store with one bucket, `documents`."""

    bucket = "documents"

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()
        httpx.put(f"{self.url}/{self.bucket}").raise_for_status()

    def stop(self) -> None:
        """End."""
        self._server.stop()
