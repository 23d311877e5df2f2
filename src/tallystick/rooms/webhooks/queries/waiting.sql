-- Live organizations with outbox rows: one index probe for each organization, however many rows wait.
with recursive waiting as (
  (select organization_id from outbox where failed_at is null order by organization_id limit 1)
  union all
  select (
    select x.organization_id from outbox x
    where x.organization_id > w.organization_id and x.failed_at is null
    order by x.organization_id limit 1
  )
  from waiting w
  where w.organization_id is not null
)
select w.organization_id
from waiting w
join organizations o on o.id = w.organization_id
where not o.sandbox
