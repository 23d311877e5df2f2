-- Usage that invoices of subscriptions have billed of whole chains (metering.md §9.1); of an ended row, before its end.
select s.id, coalesce(sum(f.amount_cents), 0)::bigint as cents
from subscriptions s
left join subscriptions o
  on o.organization_id = s.organization_id and o.external_id = s.external_id and o.subscription_at = s.subscription_at
  and o.customer_id = s.customer_id and o.status <> 'canceled'
left join (
  fees f join invoices i
    on i.id = f.invoice_id and i.invoice_type = 'subscription' and i.status in ('draft', 'pending', 'finalized')
) on f.subscription_id = o.id and f.fee_type = 'charge' and f.deleted_at is null
  and (s.terminated_at is null or i.created_at < s.terminated_at)
where s.id = any(cast(:ids as uuid[]))
group by s.id
