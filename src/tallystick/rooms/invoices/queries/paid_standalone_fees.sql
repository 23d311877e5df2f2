-- Paid fees without invoice of chains whose plans bring such fees together (invoicing.md §13 step 1). Every such fee of
-- the chain is taken, also those of charges that are not brought together themselves.
select
  f.id, w.newest_id, f.subscription_id, s.purchase_order_number, f.currency, f.amount_cents, f.taxes_amount_cents
from unnest(cast(:newest as uuid[]), cast(:instants as timestamptz[]), cast(:ended as boolean[]))
  as w(newest_id, at, ended_only)
join subscriptions n on n.id = w.newest_id
join subscriptions s
  on s.organization_id = n.organization_id and s.external_id = n.external_id and s.customer_id = n.customer_id
  and s.status in ('active', 'terminated')
join fees f
  on f.subscription_id = s.id and f.invoice_id is null and f.payment_status = 'succeeded' and f.deleted_at is null
  and f.succeeded_at <= w.at and (not w.ended_only or f.period_to_at <= w.at)
where exists (
  select from charges c
  join subscriptions o on o.plan_id = c.plan_id
  where o.organization_id = n.organization_id and o.external_id = n.external_id and o.customer_id = n.customer_id
    and o.status in ('active', 'terminated')
    and c.pay_in_advance and not c.invoiceable and c.regroup_paid_fees = 'invoice' and c.deleted_at is null
)
order by w.newest_id, f.created_at, f.id
for update of f
