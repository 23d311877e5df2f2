-- Messages of live organizations that should have been fanned out five minutes ago, and those that cannot be.
select
  count(*) filter (where m.failed_at is null) as late,
  count(m.failed_at) as failed,
  max(m.webhook_type || ': ' || left(m.error, 200)) filter (where m.failed_at is not null) as example
from outbox m
join organizations o on o.id = m.organization_id
where m.failed_at is not null or (not o.sandbox and m.at < now() - interval '5 minutes')
