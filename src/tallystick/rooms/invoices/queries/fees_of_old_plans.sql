-- For each asked (place, old subscription, add-on, from, to): the last fee of the add-on that was billed in advance and
-- covers the window (rating.md §16.3).
select asked.place, f.amount_cents, f.created_at, f.period_from_at, f.period_to_at
from unnest(
  cast(:places as int[]), cast(:subscriptions as uuid[]), cast(:add_ons as uuid[]),
  cast(:starts as timestamptz[]), cast(:ends as timestamptz[])
) as asked(place, subscription_id, add_on_id, from_at, to_at)
cross join lateral (
  select o.amount_cents, o.created_at, o.period_from_at, o.period_to_at from fees o
  where o.subscription_id = asked.subscription_id and o.add_on_id = asked.add_on_id and o.fee_type = 'fixed_charge'
    and o.pay_in_advance and o.live and o.deleted_at is null
    and o.period_from_at <= asked.from_at and o.period_to_at >= asked.to_at
  order by o.created_at desc, o.id desc limit 1
) f
