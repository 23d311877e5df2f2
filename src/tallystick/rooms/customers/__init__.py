"""Customers: whom the organization bills, their metadata, and their links to the portal."""
