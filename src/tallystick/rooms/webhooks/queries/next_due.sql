-- When something of one organization falls due next: a message still in the outbox, or a delivery.
select least(
  (select min(at) from outbox where organization_id = :organization and failed_at is null),
  (
    select next_attempt_at from webhook_deliveries
    where organization_id = :organization and next_attempt_at is not null
    order by next_attempt_at limit 1
  )
)
