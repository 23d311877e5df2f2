"""Credit notes: written in sets by the ledger, used up by invoices, voided, shown and looked up."""
