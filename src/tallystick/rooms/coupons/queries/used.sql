-- what applied coupons took off invoices that count (credits.md §1.2 "active credit")
select k.source_id, sum(k.amount_cents)::bigint as used_cents
from invoice_credits k join invoices i on i.id = k.invoice_id
where k.kind = 'coupon' and k.source_id = any(cast(:ids as uuid[])) and i.status not in ('voided', 'closed', 'deleted')
group by k.source_id
