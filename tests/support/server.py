"""The product's HTTP application on a real socket, in a thread with its own event loop."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

from tallystick.ground.settings import Settings
from tests.support.api import ADMIN_TOKEN


def settings_for(database_url: str, data_dir: Path, **more: Any) -> Settings:
    """Settings of a test installation; loopback webhooks are allowed."""
    values = {
        "database_url": database_url,
        "data_dir": data_dir,
        "admin_token": ADMIN_TOKEN,
        "webhook_block_private": False,
        **more,
    }
    return Settings(**values)


class Running:
    """A started server; `url` is its base."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server: uvicorn.Server | None = None
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve until `stop`."""
        from tallystick.app import create_app

        config = uvicorn.Config(lambda: create_app(self.settings), factory=True, log_level="warning", loop="asyncio")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the server did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server and wait for it."""
        assert self.server is not None
        assert self.thread is not None
        self.server.should_exit = True
        self.thread.join(timeout=10)
