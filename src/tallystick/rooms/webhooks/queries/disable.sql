-- Disables endpoints that only failed for days, with many deliveries; their waiting deliveries end failed (§1.6).
with moment as (select coalesce(cast(:at as timestamptz), clock_timestamp()) as now),
disabled as (
  update webhook_endpoints e set disabled_at = moment.now, updated_at = moment.now
  from moment
  where e.id = any(cast(:ids as uuid[]))
    and e.disabled_at is null
    and e.failing_since_at <= moment.now - make_interval(days => :days)
    and :deliveries <= (
      select count(*) from (
        select from webhook_deliveries d
        where d.endpoint_id = e.id and d.updated_at >= e.failing_since_at and d.retries > 0
        limit :deliveries
      ) failed
    )
  returning e.id, e.organization_id, e.webhook_url
),
ended as (
  update webhook_deliveries d set status = 'failed', next_attempt_at = null, updated_at = moment.now
  from disabled x, moment
  where d.endpoint_id = x.id and d.next_attempt_at is not null
)
select id, organization_id, webhook_url from disabled
