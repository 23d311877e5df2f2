-- The units in force when subscriptions start, one second after their start (subscriptions.md §2.4).
insert into fixed_charge_units
  (organization_id, subscription_id, fixed_charge_id, units, effective_at, immediate, created_at)
select s.organization_id, s.id, f.id, coalesce(o.units, f.units), s.started_at + interval '1 second', false, started.at
from unnest(cast(:ids as uuid[]), cast(:instants as timestamptz[])) as started(id, at)
join subscriptions s on s.id = started.id
join fixed_charges f on f.plan_id = s.plan_id and f.deleted_at is null
left join units_overrides o on o.subscription_id = s.id and o.fixed_charge_id = f.id
where not exists (select from fixed_charge_units r where r.subscription_id = s.id and r.fixed_charge_id = f.id)
order by s.id, f.created_at, f.id
