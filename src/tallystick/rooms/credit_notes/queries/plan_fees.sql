-- The last plan fee paid in advance of each asked (subscription, instant) whose period contains the instant, with the
-- price and the days of its whole period; an invoice that is void or was never issued leaves nothing to credit.
select
  asked.subscription_id, f.id as fee_id, f.invoice_id, f.period_from_at, f.period_to_at,
  cast(f.amount_details->>'plan_amount_cents' as bigint) as plan_amount_cents, p.plan_full_days
from unnest(cast(:subscriptions as uuid[]), cast(:instants as timestamptz[])) as asked(subscription_id, at)
cross join lateral (
  select * from fees o
  where o.subscription_id = asked.subscription_id and o.fee_type = 'subscription' and o.pay_in_advance
    and o.deleted_at is null and o.invoice_id is not null
  order by o.period_from_at desc, o.created_at desc, o.id desc
  limit 1
) f
join invoices i on i.id = f.invoice_id and i.status in ('draft', 'finalized', 'pending')
join invoice_subscriptions p on p.invoice_id = f.invoice_id and p.subscription_id = asked.subscription_id
where f.amount_cents > 0 and f.period_from_at <= asked.at and f.period_to_at > asked.at
