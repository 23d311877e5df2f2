-- For each asked (place, subscription, fixed charge, the one it overrides, window start, own draft): the units billed of
-- the window, and whether its periodic fee exists. Fees of the draft that is being made again do not count.
select asked.place, sum(f.units) as units, bool_or(f.purpose = 'periodic' or f.amount_cents > 0) as is_billed
from unnest(
  cast(:places as int[]), cast(:subscriptions as uuid[]), cast(:fixed_charges as uuid[]), cast(:parents as uuid[]),
  cast(:starts as timestamptz[]), cast(:drafts as uuid[])
) as asked(place, subscription_id, fixed_charge_id, parent_id, from_at, draft_id)
join fees f on f.subscription_id = asked.subscription_id and f.period_from_at = asked.from_at
  and f.fixed_charge_id in (asked.fixed_charge_id, asked.parent_id)
  and f.fee_type = 'fixed_charge' and f.live and f.deleted_at is null
  and (asked.draft_id is null or f.invoice_id is distinct from asked.draft_id)
group by asked.place
