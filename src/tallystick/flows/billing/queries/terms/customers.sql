-- Settings of customers, and whether the registry still has to say which taxes they pay.
select
  c.id, c.external_id, c.slug, c.sequential_id, c.billing_entity_id, c.account_type, c.timezone, c.net_payment_term,
  c.invoice_grace_period, c.subscription_invoice_issuing_date_anchor, c.subscription_invoice_issuing_date_adjustment,
  c.finalize_zero_amount_invoice,
  exists (select from vat_checks v where v.customer_id = c.id) as taxes_pending
from customers c
where c.id = any($1::uuid[])
