-- Sums, with what is carried from before the window and what proration weighs (metering.md §3.2, §3.4, §3.6).
select
    no,
    filter_no,
    grp,
    count(*) as events,
    count(*) filter (where days > 0) as window_events,
    sum(amount) as units,
    coalesce(sum(amount) filter (where days = 0), 0) as carried,
    coalesce(sum(amount * days) filter (where days > 1), 0) + coalesce(sum(amount) filter (where days = 1), 0) as weight,
    coalesce(sum(precise_total_amount_cents), 0) as precise_cents,
    null::timestamptz as last_at,
    null::timestamptz as last_created_at,
    null::uuid as last_id
from bucketed
where amount is not null
group by no, filter_no, grp
