"""The composition root: the only file that knows everybody. It builds the installation and mounts every door."""

from __future__ import annotations

from fastapi import FastAPI

from tallystick.api.application import build_application
from tallystick.api.routes import mount
from tallystick.api.v1 import taxes
from tallystick.ground.installation import Installation


def create_app(installation: Installation) -> FastAPI:
    """The HTTP application with all resources."""
    app = build_application(installation)
    mount(app, "/api/v1", taxes.routes)
    return app
