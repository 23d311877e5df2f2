"""Floor 1: what every room stands on: database, tables, clock, agenda, outbox, jobs, egress, errors, settings."""
