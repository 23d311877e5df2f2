"""Files that leave the house: documents and e-invoices, asked for in a transaction, made by jobs, announced once."""
