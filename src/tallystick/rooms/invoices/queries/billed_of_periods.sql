-- For each asked (place, subscription, from, to, own draft): what was billed of the period, before coupons and taxes.
-- Progressive invoices are left out: the final one bills their usage again and credits them.
select asked.place, sum(f.amount_cents)::bigint as amount_cents, sum(f.precise_amount_cents) as precise_amount_cents
from unnest(
  cast(:places as int[]), cast(:subscriptions as uuid[]), cast(:starts as timestamptz[]), cast(:ends as timestamptz[]),
  cast(:drafts as uuid[])
) as asked(place, subscription_id, from_at, to_at, draft_id)
join fees f on f.subscription_id = asked.subscription_id
  and f.period_from_at >= asked.from_at and f.period_from_at < asked.to_at
  and f.fee_type in ('subscription', 'charge', 'fixed_charge') and f.purpose <> 'progressive'
  and f.live and f.deleted_at is null
  and (asked.draft_id is null or f.invoice_id is distinct from asked.draft_id)
group by asked.place
