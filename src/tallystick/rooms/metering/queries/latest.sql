-- The last values, by timestamp and then by reception (metering.md §3.2).
select distinct on (no, filter_no, grp)
    no,
    filter_no,
    grp,
    count(*) over (partition by no, filter_no, grp) as events,
    count(*) over (partition by no, filter_no, grp) as window_events,
    amount as units,
    0::numeric as carried,
    0::numeric as weight,
    0::numeric as precise_cents,
    "timestamp" as last_at,
    created_at as last_created_at,
    id as last_id
from bucketed
where amount is not null
order by no, filter_no, grp, "timestamp" desc, created_at desc, id desc
