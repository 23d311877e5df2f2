-- Leases to one dispatcher the endpoints of live organizations that have something due and that nobody serves.
-- Endpoints with anything planned are found by one index probe each, however many deliveries wait.
with recursive planned as (
  (select endpoint_id from webhook_deliveries where next_attempt_at is not null order by endpoint_id limit 1)
  union all
  select (
    select d.endpoint_id from webhook_deliveries d
    where d.endpoint_id > p.endpoint_id and d.next_attempt_at is not null
    order by d.endpoint_id limit 1
  )
  from planned p
  where p.endpoint_id is not null
),
free as (
  select w.id
  from planned p
  join webhook_endpoints w on w.id = p.endpoint_id
  join organizations o on o.id = w.organization_id
  where not o.sandbox
    and w.disabled_at is null
    and (w.leased_until is null or w.leased_until <= now())
    and w.id <> all(cast(:mine as uuid[]))
    and exists (select from webhook_deliveries d where d.endpoint_id = w.id and d.next_attempt_at <= now())
  for no key update of w skip locked
)
update webhook_endpoints e
set leased_by = :holder, leased_until = now() + make_interval(secs => :seconds)
from free f
where e.id = f.id
returning e.id, e.failing_since_at is not null as failing
