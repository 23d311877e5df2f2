"""Alerts: figures of subscriptions that are watched, and what was told of them (metering.md §10)."""
