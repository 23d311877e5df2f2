"""Tallystick: usage-based billing on PostgreSQL."""
