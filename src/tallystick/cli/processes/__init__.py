"""The long-running commands: the HTTP server, the worker beside it, and the embedded PostgreSQL under both."""
