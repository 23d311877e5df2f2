"""Tallystick: usage-based billing on PostgreSQL."""

__version__ = "0.1.0"
