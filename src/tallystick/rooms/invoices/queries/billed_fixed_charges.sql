-- For each asked (place, subscription, fixed charge, the one it overrides, window end, own draft): the units billed of
-- the window, and whether it is paid for: by a periodic fee, or by units that were raised before there was one. What was
-- raised after the own draft was made changes nothing about it. Fees of the own draft do not count. The same window ends
-- hours earlier or later when the customer moved to another time zone since.
select
  asked.place,
  coalesce(sum(f.units) filter (where not own.is_own), 0) as units,
  coalesce(bool_or(not own.is_own and f.purpose = 'periodic'), false)
    or (coalesce(bool_or(not own.is_own and f.amount_cents > 0), false)
      and not coalesce(bool_or(own.is_own and f.purpose = 'periodic'), false)) as is_billed
from unnest(
  cast(:places as int[]), cast(:subscriptions as uuid[]), cast(:fixed_charges as uuid[]), cast(:parents as uuid[]),
  cast(:ends as timestamptz[]), cast(:drafts as uuid[])
) as asked(place, subscription_id, fixed_charge_id, parent_id, to_at, draft_id)
join fees f on f.subscription_id = asked.subscription_id
  and f.period_to_at > asked.to_at - interval '26 hours' and f.period_to_at < asked.to_at + interval '26 hours'
  and f.fixed_charge_id in (asked.fixed_charge_id, asked.parent_id)
  and f.fee_type = 'fixed_charge' and f.live and f.deleted_at is null
cross join lateral (
  select asked.draft_id is not null and f.invoice_id is not distinct from asked.draft_id as is_own
) own
group by asked.place
