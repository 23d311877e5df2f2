-- The last values, by timestamp and then by reception (metering.md §3.2).
select
    no,
    filter_no,
    grp,
    count(*) as events,
    count(*) as window_events,
    (array_agg(amount order by "timestamp" desc, created_at desc, id desc))[1] as units
from bucketed
where amount is not null
group by no, filter_no, grp
