"""Metering: events as they are sent, and the usage they add up to. What usage costs is rating, in the core."""
