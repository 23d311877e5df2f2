-- Removes log records that have not changed for long, of one organization or of all live ones.
delete from webhook_deliveries d
using organizations o
where o.id = d.organization_id
  and d.updated_at < :before
  and d.next_attempt_at is null
  and (o.id = cast(:organization as uuid) or (cast(:organization as uuid) is null and not o.sandbox))
