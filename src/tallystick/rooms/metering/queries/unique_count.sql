-- Unique counts: a text is there when its last operation adds it (metering.md §3.3).
, texts as (
    select
        no,
        filter_no,
        grp,
        count(*) as events,
        count(*) filter (where days > 0) as window_events,
        (array_agg(operation order by "timestamp" desc, created_at desc, id desc))[1] = 'add' as there
    from bucketed
    where value <> '' and operation in ('add', 'remove')
    group by no, filter_no, grp, value
)
select
    no,
    filter_no,
    grp,
    sum(events)::bigint as events,
    sum(window_events)::bigint as window_events,
    (count(*) filter (where there))::numeric as units
from texts
group by no, filter_no, grp
