"""The clockwork: makes what is on the agenda happen, on the real clock or on a sandbox organization's own."""
