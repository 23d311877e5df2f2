-- A subscription goes on with an override of its plan: its records go on under the copies of the fixed charges.
insert into fixed_charge_units
  (organization_id, subscription_id, fixed_charge_id, units, effective_at, immediate, created_at)
select r.organization_id, r.subscription_id, heir.child_id, r.units, r.effective_at, r.immediate, r.created_at
from unnest(cast(:parents as uuid[]), cast(:children as uuid[])) as heir(parent_id, child_id)
join fixed_charge_units r on r.fixed_charge_id = heir.parent_id and r.subscription_id = cast(:subscription_id as uuid)
order by r.position
