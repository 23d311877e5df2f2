-- Unique counts with the days their texts were there (metering.md §3.6): `kept` has the operations that change a state.
, operations as (
    select
        b.no,
        b.filter_no,
        b.grp,
        b.value collate "C" as text,
        b."timestamp",
        b.created_at,
        b.id,
        b.operation,
        b.days,
        lag(b.operation, 1, 'remove') over (
            partition by b.no, b.filter_no, b.grp, b.value collate "C" order by b."timestamp", b.created_at, b.id
        ) as state
    from bucketed b
    where b.value <> '' and b.operation in ('add', 'remove')
), alternating as (
    -- what repeats the operation before it never counts, and then a removal can only be followed by an addition
    select o.*, w.timezone, w.start_at, w.first_day, w.last_day, w.itemized,
        (o."timestamp" at time zone w.timezone)::date as day
    from operations o
    join windows w on w.no = o.no
    where o.operation <> o.state
), judged as (
    select *, lead(day) over its as next_day, lag(operation) over its as operation_before, lag(day) over its as day_before
    from alternating
    window its as (partition by no, filter_no, grp, text order by "timestamp", created_at, id)
), neighbours as (
    -- a removal that is taken back on its local day, and the addition that takes it back, count as not sent
    select
        *,
        lag(day) over its as added_day,
        lead(day) over its as removed_day,
        lead("timestamp") over its as removed_at
    from judged
    where not (operation = 'remove' and next_day is not distinct from day)
        and not (operation = 'add' and operation_before is not null and day_before = day)
    window its as (partition by no, filter_no, grp, text order by "timestamp", created_at, id)
), kept as (
    -- additions and removals alternate: the days of an interval belong to both its ends
    select
        *,
        case
            when operation = 'add' and removed_at < start_at or operation = 'remove' and "timestamp" < start_at then 0
            when operation = 'add' then coalesce(removed_day, last_day) - greatest(day, first_day) + 1
            else day - greatest(added_day, first_day) + 1
        end as paid_days
    from neighbours
), paid as (
    select
        no,
        filter_no,
        grp,
        sum(case operation when 'add' then 1 else -1 end)::numeric as units,
        (coalesce(sum(paid_days) filter (where operation = 'add'), 0))::numeric as weight,
        array_agg(case operation when 'add' then 1 else -1 end::numeric order by "timestamp", text, created_at, id)
            filter (where itemized and paid_days > 0) as values,
        array_agg(paid_days order by "timestamp", text, created_at, id)
            filter (where itemized and paid_days > 0) as days
    from kept
    group by no, filter_no, grp
), counted as (
    select no, filter_no, grp, count(*) as events, count(*) filter (where days > 0) as window_events
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
