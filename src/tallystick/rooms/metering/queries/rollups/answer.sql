-- What rollups hold, together with figures of the events that they do not hold yet; $33 is the aggregation. A window whose
-- rollup is there has one row more, without a bucket: all of it is seen at one instant, and what has gone is not seen.
, held as (
    select w.no, w.rollup_id
    from windows w
    cross join lateral (select from rollups r where r.id = w.rollup_id and r.built offset 0) r
), parts as (
    select h.no, p.*
    from held h
    cross join lateral (
        select filter_no, grp, events, window_events, units, carried, weight, precise_cents, last_at, last_created_at, last_id
        from rollup_parts
        where rollup_id = h.rollup_id
        offset 0
    ) p
    union all
    select * from figures
)
select
    no,
    filter_no,
    grp,
    sum(events)::bigint as events,
    sum(window_events)::bigint as window_events,
    case $33::text
        when 'max' then max(units)
        when 'latest' then (array_agg(units order by last_at desc, last_created_at desc, last_id desc))[1]
        else sum(units)
    end as units,
    sum(carried) as carried,
    sum(weight) as weight,
    sum(precise_cents) as precise_cents
from parts
group by no, filter_no, grp
union all
select no, null, null, null, null, null, null, null, null from held
