"""Prepaid wallets of customers: what is in them, every movement (wallets.md). Which invoices they pay is a flow's."""
