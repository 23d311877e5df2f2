-- Agenda entries that a worker should have carried out five minutes ago, and those set aside with an error.
select
  count(*) filter (where a.failed_at is null) as late,
  to_char(min(a.due_at) filter (where a.failed_at is null) at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC') as oldest,
  count(a.failed_at) as failed,
  max(a.kind || ' of ' || a.subject_id || ': ' || left(a.error, 200)) filter (where a.failed_at is not null) as example
from agenda a
join organizations o on o.id = a.organization_id
where a.failed_at is not null or (not o.sandbox and a.due_at < now() - interval '5 minutes')
