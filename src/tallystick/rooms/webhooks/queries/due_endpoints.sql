-- Enabled endpoints of one organization that have something due.
select e.id
from webhook_endpoints e
where e.organization_id = :organization
  and e.disabled_at is null
  and exists (select from webhook_deliveries d where d.endpoint_id = e.id and d.next_attempt_at <= :at)
order by e.created_at, e.id
