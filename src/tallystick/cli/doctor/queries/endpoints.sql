-- Webhook endpoints to which every delivery fails, the oldest first, and those disabled for it.
select
  e.webhook_url,
  o.slug,
  case when e.disabled_at is null then 'has only failed' else 'is disabled' end as state,
  to_char(coalesce(e.disabled_at, e.failing_since_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC') as since
from webhook_endpoints e
join organizations o on o.id = e.organization_id
where e.disabled_at is not null or e.failing_since_at is not null
order by e.failing_since_at
limit 20
