"""Taxes: rates, and what they are attached to. Which tax wins on a fee is arithmetic and lives in core/taxes.py."""
