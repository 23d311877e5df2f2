-- For each asked (place, subscription, fixed charge, from, to): the records inside the window and the last created of
-- those before it, in the order of their creation (rating.md §16.1). `seen_before` leaves out changes billed apart.
select asked.place, u.effective_at, u.units
from unnest(
  cast(:places as int[]), cast(:subscriptions as uuid[]), cast(:fixed_charges as uuid[]),
  cast(:starts as timestamptz[]), cast(:ends as timestamptz[]), cast(:seen_before as timestamptz[])
) as asked(place, subscription_id, fixed_charge_id, from_at, to_at, seen_before)
cross join lateral (
  select r.position, r.effective_at, r.units from fixed_charge_units r
  where r.subscription_id = asked.subscription_id and r.fixed_charge_id = asked.fixed_charge_id
    and r.effective_at >= asked.from_at and r.effective_at < asked.to_at
    and (asked.seen_before is null or not r.immediate or r.created_at < asked.seen_before)
  union all
  (
    select r.position, r.effective_at, r.units from fixed_charge_units r
    where r.subscription_id = asked.subscription_id and r.fixed_charge_id = asked.fixed_charge_id
      and r.effective_at < asked.from_at
    order by r.position desc limit 1
  )
) u
order by asked.place, u.position
