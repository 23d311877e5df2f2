-- Subscriptions with what their chain says: when its trial began, which row replaced this one, and how it was billed.
select
  s.id, s.organization_id, s.customer_id, s.plan_id, s.external_id, s.name, s.status, s.billing_time, s.subscription_at,
  s.started_at, s.created_at, s.terminated_at, s.ending_at, s.trial_ended_at, s.consolidate_invoice,
  s.previous_subscription_id, s.replaced_by, s.purchase_order_number, s.payment_method_id, s.payment_method_type,
  coalesce(s.billing_entity_id, c.billing_entity_id) as issuer_id,
  chain.trial_started_at,
  successor.plan_id as successor_plan_id,
  tick.billing_on as last_tick_on, tick.timezone as last_timezone,
  ticks.moved, ticks.charges_to_at, ticks.fixed_to_at,
  fee.billed_at as plan_fee_billed_at, fee.first_billed_at as plan_fee_first_billed_at, fee.to_at as plan_to_at
from subscriptions s
join customers c on c.id = s.customer_id
join billing_entities e on e.id = c.billing_entity_id
cross join lateral (
  select min(o.started_at) as trial_started_at
  from subscriptions o
  where o.organization_id = s.organization_id and o.external_id = s.external_id and o.customer_id = s.customer_id
) chain
left join lateral (
  select n.plan_id from subscriptions n
  where n.previous_subscription_id = s.id and s.terminated_at is not null and n.status in ('active', 'terminated')
  order by n.created_at desc limit 1
) successor on true
left join lateral (
  select i.billing_on, i.timezone from invoice_subscriptions i
  where i.subscription_id = s.id and i.recurring and not i.replaced
  order by i.billing_on desc limit 1
) tick on true
cross join lateral (
  select
    max(i.charges_to_at) filter (where i.recurring) as charges_to_at,
    max(i.fixed_charges_to_at) filter (where i.recurring) as fixed_to_at,
    bool_or(i.timezone <> coalesce(nullif(c.timezone, ''), e.timezone)) as moved
  from invoice_subscriptions i
  where i.subscription_id = s.id and not i.replaced
) ticks
left join lateral (
  select max(f.created_at) as billed_at, min(f.created_at) as first_billed_at, max(f.period_to_at) as to_at
  from fees f
  where f.subscription_id = s.id and f.fee_type = 'subscription' and f.live
) fee on true
where s.id = any($1::uuid[])
