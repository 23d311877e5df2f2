"""Texts that sellers print on their invoices, and who selected which of them (invoicing.md §20)."""
