-- Removes old messages that no delivery needs any more, each organization's by its own clock.
delete from webhook_messages m
using organizations o
where o.id = m.organization_id
  and m.created_at < coalesce(case when o.sandbox then o.clock_at end, cast(:now as timestamptz)) - cast(:age as interval)
  and not exists (select from webhook_deliveries d where d.message_id = m.id)
