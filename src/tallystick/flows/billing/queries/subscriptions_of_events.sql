-- The subscription row that each event belongs to when something follows from it (metering.md §1.9, post-processing).
select e.id as event_id, s.id as subscription_id, s.customer_id
from unnest(
  cast(:ids as uuid[]), cast(:organizations as uuid[]), cast(:names as text[]), cast(:instants as timestamptz[])
) as e(id, organization_id, external_id, at)
cross join lateral (
  select s.id, s.customer_id from subscriptions s
  where s.organization_id = e.organization_id and s.external_id = e.external_id and s.status in ('active', 'terminated')
    and date_trunc('milliseconds', s.started_at) <= date_trunc('milliseconds', e.at)
    and (s.terminated_at is null or date_trunc('milliseconds', s.terminated_at) >= date_trunc('milliseconds', e.at))
  order by s.terminated_at desc nulls first, s.started_at desc
  limit 1
) s
