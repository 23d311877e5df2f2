"""Credit notes in billing: made on request, for unused time, for voided invoices and surpluses; used up by invoices."""
