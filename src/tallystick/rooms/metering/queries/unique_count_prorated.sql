-- Unique counts with the days their texts were there (metering.md §3.6): `kept` has the operations that change a state.
, operations as (
    select b.*, (b."timestamp" at time zone w.timezone)::date as day, w.start_at, w.first_day, w.last_day, w.itemized
    from bucketed b
    join windows w on w.no = b.no
    where b.value <> '' and b.operation in ('add', 'remove')
), judged as (
    select
        *,
        operation = 'remove' and bool_or(operation = 'add') over later as taken_back
    from operations
    window later as (
        partition by no, filter_no, grp, value, day order by "timestamp", created_at, id
        rows between 1 following and unbounded following
    )
), standing as (
    select *, lag(operation, 1, 'remove') over (
        partition by no, filter_no, grp, value order by "timestamp", created_at, id
    ) as state
    from judged
    where taken_back is not true
), neighbours as (
    select *, lag(day) over its as day_before, lead(day) over its as day_after, lead("timestamp") over its as next_at
    from standing
    where operation <> state
    window its as (partition by no, filter_no, grp, value order by "timestamp", created_at, id)
), kept as (
    -- additions and removals alternate: the days of an interval belong to both its ends
    select
        *,
        case
            when operation = 'add' and next_at < start_at or operation = 'remove' and "timestamp" < start_at then 0
            when operation = 'add' then coalesce(day_after, last_day) - greatest(day, first_day) + 1
            else day - greatest(day_before, first_day) + 1
        end as paid_days
    from neighbours
), paid as (
    select
        no,
        filter_no,
        grp,
        sum(case operation when 'add' then 1 else -1 end)::numeric as units,
        (coalesce(sum(paid_days) filter (where operation = 'add'), 0))::numeric as weight,
        array_agg(case operation when 'add' then 1 else -1 end::numeric order by "timestamp", value collate "C", created_at, id)
            filter (where itemized and paid_days > 0) as values,
        array_agg(paid_days order by "timestamp", value collate "C", created_at, id)
            filter (where itemized and paid_days > 0) as days
    from kept
    group by no, filter_no, grp
), counted as (
    select
        no, filter_no, grp, count(*) as events, count(*) filter (where "timestamp" >= start_at) as window_events
    from operations
    group by no, filter_no, grp
)
select
    c.no,
    c.filter_no,
    c.grp,
    c.events,
    c.window_events,
    coalesce(p.units, 0) as units,
    coalesce(p.weight, 0) as weight,
    coalesce(p.values, '{}') as values,
    coalesce(p.days, '{}') as days
from counted c
left join paid p on p.no = c.no and p.filter_no = c.filter_no and p.grp = c.grp
