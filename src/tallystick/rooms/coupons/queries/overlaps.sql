-- whether a limited coupon and an active applied coupon of the customer aim at the same plan or metric, or one at a
-- plan that charges a metric of the other (credits.md §1.3)
select exists (
  select
  from coupon_targets mine
  join applied_coupons a on a.customer_id = :customer and a.status = 'active'
  join coupon_targets theirs on theirs.coupon_id = a.coupon_id
  where mine.coupon_id = :coupon
    and case
      when mine.target_kind = theirs.target_kind then mine.target_id = theirs.target_id
      else exists (
        select from charges c
        where c.deleted_at is null
          and c.plan_id = case when mine.target_kind = 'plan' then mine.target_id else theirs.target_id end
          and c.billable_metric_id = case when mine.target_kind = 'plan' then theirs.target_id else mine.target_id end
      )
    end
)
