-- Subscriptions with what decides their dates: time zone, the plan's rhythm, the chain's trial, and what was billed.
select
  s.id, s.organization_id, s.status, s.previous_subscription_id, s.billing_time, s.subscription_at, s.started_at,
  s.activated_at, s.created_at, s.ending_at, s.terminated_at, s.trial_ended_at, s.termination_alerted_on,
  s.purchase_order_number,
  coalesce(s.billing_entity_id, c.billing_entity_id) as issuer_id,
  coalesce(nullif(c.timezone, ''), e.timezone) as timezone,
  p.interval, p.amount_currency, p.pay_in_advance, p.bill_charges_monthly, p.bill_fixed_charges_monthly,
  p.trial_period,
  (
    select min(o.started_at) from subscriptions o
    where o.organization_id = s.organization_id and o.external_id = s.external_id and o.customer_id = s.customer_id
  ) as trial_started_at,
  tick.billing_on as last_tick_on, tick.timezone as last_timezone,
  exists (
    select from invoice_subscriptions i
    where i.subscription_id = s.id and i.invoicing_reason = 'subscription_starting' and not i.replaced
  ) as start_is_billed,
  exists (
    select from fixed_charges f where f.plan_id = s.plan_id and f.pay_in_advance and f.deleted_at is null
  ) as has_fixed_in_advance
from subscriptions s
join customers c on c.id = s.customer_id
join billing_entities e on e.id = c.billing_entity_id
join plans p on p.id = s.plan_id
left join lateral (
  select i.billing_on, i.timezone from invoice_subscriptions i
  where i.subscription_id = s.id and i.recurring and not i.replaced
  order by i.billing_on desc limit 1
) tick on true
where s.id = any(cast(:ids as uuid[]))
order by s.id
