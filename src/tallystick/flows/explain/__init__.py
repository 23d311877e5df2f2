"""Explain: why an event counts or does not, and how a fee came to its amount. Reads only; nothing is decided here."""
