"""Usage: what a subscription has used and what it would cost, by the same stages as its invoices (metering.md §7)."""
