-- Removes log records that have not changed for long, each organization's by its own clock.
delete from webhook_deliveries d
using organizations o
where o.id = d.organization_id
  and d.updated_at < coalesce(case when o.sandbox then o.clock_at end, cast(:now as timestamptz)) - cast(:age as interval)
  and d.next_attempt_at is null
