"""Invoices and fees: written in sets by the ledger, numbered without gaps, shown and looked up."""
