"""Money for invoices: who pays, what became of it, asking again. Making invoices is flows/billing."""
