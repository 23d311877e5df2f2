-- Maxima (metering.md §3.2).
select
    no,
    filter_no,
    grp,
    count(*) as events,
    count(*) as window_events,
    max(amount) as units,
    0::numeric as carried,
    0::numeric as weight,
    0::numeric as precise_cents,
    null::timestamptz as last_at,
    null::timestamptz as last_created_at,
    null::uuid as last_id
from bucketed
where amount is not null
group by no, filter_no, grp
