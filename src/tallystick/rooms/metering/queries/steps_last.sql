-- Where the events of each period left their bucket and group (metering.md §7.3).
select
    no,
    filter_no,
    grp,
    (array_agg(current order by "timestamp" desc, created_at desc, id desc))[1] as current,
    max(peak) as peak,
    coalesce(array_agg("timestamp" order by "timestamp", created_at, id) filter (where raised > 0), '{}') as raised_at,
    coalesce(array_agg(raised order by "timestamp", created_at, id) filter (where raised > 0), '{}') as raises
from steps
group by no, filter_no, grp
