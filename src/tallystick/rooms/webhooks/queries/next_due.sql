-- When something of one organization falls due next: a message still in the outbox, or a delivery to an enabled endpoint.
select least(
  (select min(at) from outbox where organization_id = :organization and failed_at is null),
  (
    select min(d.next_attempt_at)
    from webhook_deliveries d
    join webhook_endpoints e on e.id = d.endpoint_id and e.disabled_at is null
    where d.organization_id = :organization and d.next_attempt_at is not null
  )
)
