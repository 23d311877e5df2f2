-- applied coupons as if these invoices had never used them (credits.md §1.6)
update applied_coupons a
set frequency_duration_remaining =
      case when a.frequency = 'recurring' then least(a.frequency_duration_remaining + k.uses, a.frequency_duration)
           else a.frequency_duration_remaining end,
    status = case when k.revived then 'active' else a.status end,
    terminated_at = case when k.revived then null else a.terminated_at end,
    updated_at = :at
from (
  select b.id, count(*) as uses,
         b.frequency <> 'forever' and c.status = 'active' and c.deleted_at is null as revived
  from invoice_credits i
  join applied_coupons b on b.id = i.source_id
  join coupons c on c.id = b.coupon_id
  where i.kind = 'coupon' and i.invoice_id = any(cast(:invoices as uuid[]))
  group by b.id, b.frequency, c.status, c.deleted_at
) k
where a.id = k.id
