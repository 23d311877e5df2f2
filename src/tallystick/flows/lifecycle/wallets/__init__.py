"""Wallets where other rooms take part: whose they are, what they are limited to, who issues their invoices."""
