-- Records attempts: the deliveries' new states (webhooks.md §1.6) and one row for each attempt; deleted ones are skipped.
-- While requests were in flight their endpoint may have been disabled: then no attempt follows.
with moment as (select coalesce(cast(:at as timestamptz), clock_timestamp()) as now),
came_back as (
  select r.*, r.succeeded or r.wait is null or e.disabled_at is not null as over
  from unnest(
    cast(:ids as uuid[]), cast(:attempts as uuid[]), cast(:urls as text[]), cast(:succeeded as bool[]),
    cast(:statuses as int[]), cast(:responses as text[]), cast(:errors as text[]), cast(:durations as int[]),
    cast(:waits as interval[])
  ) as r(id, attempt_id, url, succeeded, http_status, response, error, duration_ms, wait)
  join webhook_deliveries d on d.id = r.id
  join webhook_endpoints e on e.id = d.endpoint_id
),
updated as (
  update webhook_deliveries d set
    endpoint_url = r.url,
    status = case when r.succeeded then 'succeeded' when r.over then 'failed' else 'retrying' end,
    retries = d.retries + case when r.succeeded then 0 else 1 end,
    http_status = r.http_status,
    response = r.response,
    next_attempt_at = case when not r.over then moment.now + r.wait end,
    last_retried_at = case when r.succeeded then d.last_retried_at else moment.now end,
    updated_at = moment.now
  from came_back r, moment
  where d.id = r.id
  returning d.id, d.organization_id, d.endpoint_id, r.succeeded
),
attempts as (
  insert into webhook_attempts (id, organization_id, delivery_id, http_status, error, duration_ms, attempted_at)
  select r.attempt_id, u.organization_id, u.id, r.http_status, r.error, r.duration_ms, moment.now
  from updated u join came_back r on r.id = u.id, moment
)
select endpoint_id, bool_or(succeeded) as succeeded from updated group by endpoint_id
