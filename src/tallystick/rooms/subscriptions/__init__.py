"""Subscriptions: chains of rows that tie a customer to a plan, from the request to the end."""
