"""Payments of invoices. What an invoice makes of them is the invoices room's and flows/collection's work."""
