"""`python -m tallystick` is the command `tallystick`."""

from __future__ import annotations

from tallystick.cli.main import app

if __name__ == "__main__":
    app(prog_name="tallystick")
