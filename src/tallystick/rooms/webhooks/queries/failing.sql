-- Since when each endpoint has only failed: from the first failure on, forgotten at the first success.
update webhook_endpoints e
set failing_since_at = case when r.succeeded then null else coalesce(cast(:at as timestamptz), clock_timestamp()) end
from unnest(cast(:ids as uuid[]), cast(:succeeded as bool[])) as r(id, succeeded)
where e.id = r.id and r.succeeded = (e.failing_since_at is not null)
