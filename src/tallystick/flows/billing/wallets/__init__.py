"""Prepaid credits in billing: invoices that wallets pay, invoices for credits that are bought (wallets.md §4, §5)."""
