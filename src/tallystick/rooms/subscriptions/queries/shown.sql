-- What a subscription shows of its customer, its issuer, its plan and its neighbours in the chain.
select
  s.id, c.external_id as external_customer_id, e.code as billing_entity_code,
  p.code as plan_code, p.amount_cents as plan_amount_cents, p.amount_currency as plan_amount_currency,
  previous_plan.code as previous_plan_code, successor.plan_code as next_plan_code, successor.status as next_status
from subscriptions s
join customers c on c.id = s.customer_id
join billing_entities e on e.id = coalesce(s.billing_entity_id, c.billing_entity_id)
join plans p on p.id = s.plan_id
left join subscriptions previous on previous.id = s.previous_subscription_id
left join plans previous_plan on previous_plan.id = previous.plan_id
left join lateral (
  select np.code as plan_code, n.status from subscriptions n join plans np on np.id = n.plan_id
  where n.previous_subscription_id = s.id and n.status <> 'canceled'
  order by n.created_at desc, n.id desc limit 1
) successor on true
where s.id = any(cast(:ids as uuid[]))
