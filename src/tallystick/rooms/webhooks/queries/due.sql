-- What to send next to one endpoint, in order of due time and outbox; URL, algorithm and secrets as they are now.
select d.id, d.retries, m.payload, e.webhook_url, e.signature_algo, e.secret, o.hmac_key,
  case when e.previous_secret_expires_at > coalesce(cast(:at as timestamptz), now()) then e.previous_secret end
    as previous_secret
from (
  select id, retries, message_id, endpoint_id, next_attempt_at, position
  from webhook_deliveries
  where endpoint_id = :endpoint
    and next_attempt_at <= coalesce(cast(:at as timestamptz), now())
    and id <> all(cast(:busy as uuid[]))
  order by next_attempt_at, position
  limit :limit
) d
join webhook_messages m on m.id = d.message_id
join webhook_endpoints e on e.id = d.endpoint_id
join organizations o on o.id = e.organization_id
where e.disabled_at is null
  and (cast(:holder as uuid) is null or e.leased_by = cast(:holder as uuid))
order by d.next_attempt_at, d.position
