"""Invoices that are only looked at: what a proposal, a change or the next tick would cost (invoicing.md §18)."""
