"""Webhooks: endpoints, fan-out of the outbox, deliveries and their attempts. Not what a message holds."""
