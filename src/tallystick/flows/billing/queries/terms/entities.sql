-- Billing entities: what their customers inherit, and how they number their invoices.
select
  id, timezone, net_payment_term, invoice_grace_period, subscription_invoice_issuing_date_anchor,
  subscription_invoice_issuing_date_adjustment, finalize_zero_amount_invoice, document_number_prefix, document_numbering
from billing_entities
where id = any($1::uuid[])
