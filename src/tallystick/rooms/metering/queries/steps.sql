-- Walks the events of each bucket and group in the order of their timestamps: aggregates over all of them, and inside
-- the period the level, its maximum so far, and by how much each event raised it (metering.md §6.2).
, walked as (
    select
        *,
        sum(step) over so_far as units,
        count(*) filter (where selected) over so_far as events,
        count(*) filter (where selected and inside) over so_far as window_events,
        sum(precise) over so_far as precise_cents,
        row_number() over (partition by no, filter_no, grp, inside order by "timestamp", created_at, id) = 1 as is_first
    from counted
    window so_far as (
        partition by no, filter_no, grp order by "timestamp", created_at, id
        rows between unbounded preceding and current row
    )
), levels as (
    select *, sum(case when is_first then first_step else step end) over inside_so_far as current
    from walked
    where inside
    window inside_so_far as (
        partition by no, filter_no, grp order by "timestamp", created_at, id
        rows between unbounded preceding and current row
    )
), peaks as (
    select
        *,
        max(current) over its as peak,
        max(current) over (its rows between unbounded preceding and 1 preceding) as peak_before
    from levels
    window its as (partition by no, filter_no, grp order by "timestamp", created_at, id)
), steps as (
    select
        *,
        case when is_first then greatest(step, 0) else greatest(current - peak_before, 0) end as raised
    from peaks
)
