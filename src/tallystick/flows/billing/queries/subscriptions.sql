-- Subscriptions with what their chain says: when its trial began, and whether an upgrade ended the row.
select
  s.id, s.organization_id, s.customer_id, s.plan_id, s.external_id, s.name, s.status, s.billing_time, s.subscription_at,
  s.started_at, s.created_at, s.terminated_at, s.ending_at, s.trial_ended_at, s.consolidate_invoice,
  s.purchase_order_number, s.payment_method_id, s.payment_method_type,
  coalesce(s.billing_entity_id, c.billing_entity_id) as issuer_id,
  chain.trial_started_at,
  s.terminated_at is not null and exists (
    select from subscriptions n
    where n.previous_subscription_id = s.id and n.status in ('active', 'terminated') and n.started_at = s.terminated_at
  ) as upgraded
from subscriptions s
join customers c on c.id = s.customer_id
cross join lateral (
  select min(o.started_at) as trial_started_at
  from subscriptions o
  where o.organization_id = s.organization_id and o.external_id = s.external_id and o.customer_id = s.customer_id
) chain
where s.id = any(cast(:ids as uuid[]))
