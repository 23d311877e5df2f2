-- Weighted sums (metering.md §3.5). Σ level × seconds is linear: each value weighs the seconds from its instant, or from
-- the start of the window if it is carried, to the window's inclusive end rounded up to a whole second.
select
    b.no,
    b.filter_no,
    b.grp,
    count(*) as events,
    count(*) filter (where b.days > 0) as window_events,
    coalesce(sum(b.amount) filter (where b.days > 0), 0) as units,
    coalesce(sum(b.amount) filter (where b.days = 0), 0) as carried,
    sum(b.amount * extract(epoch from t.end_at - case when b.days > 0 then b."timestamp" else w.from_at end)) as weight,
    0::numeric as precise_cents,
    null::timestamptz as last_at,
    null::timestamptz as last_created_at,
    null::uuid as last_id
from bucketed b
join windows w on w.no = b.no
cross join lateral (
    select date_trunc('second', w.last_at + interval '999999 microseconds') as end_at
) t
where b.amount is not null
group by b.no, b.filter_no, b.grp
