-- Removes old messages that no delivery needs any more, of one organization or of all live ones.
delete from webhook_messages m
using organizations o
where o.id = m.organization_id
  and m.created_at < :before
  and not exists (select from webhook_deliveries d where d.message_id = m.id)
  and (o.id = cast(:organization as uuid) or (cast(:organization as uuid) is null and not o.sandbox))
