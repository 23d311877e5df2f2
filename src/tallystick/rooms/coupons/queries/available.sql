-- active applied coupons of customers with their targets, and what is left of amounts that are used once
select a.id, a.customer_id, a.frequency, a.created_at, a.frequency_duration_remaining,
       a.amount_cents, a.amount_currency,
       case when c.coupon_type = 'percentage' then a.percentage_rate end as percentage_rate,
       coalesce(t.plan_ids, '{}') as plan_ids,
       coalesce(t.metric_ids, '{}') as metric_ids,
       a.amount_cents - coalesce(u.used_cents, 0) as remaining_cents
from applied_coupons a
join coupons c on c.id = a.coupon_id
left join lateral (
  select array_agg(target_id) filter (where target_kind = 'plan') as plan_ids,
         array_agg(target_id) filter (where target_kind = 'billable_metric') as metric_ids
  from coupon_targets where coupon_id = a.coupon_id
) t on true
left join lateral (
  select sum(k.amount_cents)::bigint as used_cents
  from invoice_credits k join invoices i on i.id = k.invoice_id
  where k.kind = 'coupon' and k.source_id = a.id and i.status not in ('voided', 'closed', 'deleted')
) u on a.frequency = 'once' and c.coupon_type = 'fixed_amount'
where a.customer_id = any(cast(:customers as uuid[])) and a.status = 'active'
