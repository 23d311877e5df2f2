-- The newest progressive invoice of each subscription made within a window, with what invoices that count took of it.
select
  w.subscription_id, p.id, p.fees_amount_cents, p.coupons_amount_cents,
  (
    select coalesce(sum(k.amount_cents), 0)::bigint
    from invoice_credits k join invoices i on i.id = k.invoice_id
    where k.kind = 'invoice' and k.source_id = p.id and i.status not in ('voided', 'closed', 'deleted')
      and i.id <> all(cast(:rewritten as uuid[]))
  ) as credited_cents,
  (
    select coalesce(sum(n.credit_amount_cents), 0)::bigint from credit_notes n
    where n.invoice_id = p.id and n.status = 'finalized' and n.credit_status in ('available', 'consumed')
  ) as noted_cents
from unnest(
  cast(:subscriptions as uuid[]), cast(:starts as timestamptz[]), cast(:ends as timestamptz[])
) as w(subscription_id, start_at, end_at)
cross join lateral (
  select i.id, i.fees_amount_cents, i.coupons_amount_cents
  from invoice_subscriptions s join invoices i on i.id = s.invoice_id
  where s.subscription_id = w.subscription_id and s.invoicing_reason = 'progressive_billing'
    and s.billing_at >= w.start_at and s.billing_at < w.end_at and i.status in ('finalized', 'failed', 'pending')
  order by i.created_at desc, i.sequential_id desc nulls last
  limit 1
) p
