-- Adds figures of events to rollups; $33 is the aggregation.
insert into rollup_parts as p (
    rollup_id, key, filter_no, grp, events, window_events, units, carried, weight, precise_cents,
    last_at, last_created_at, last_id
)
select
    w.rollup_id, sha256(convert_to(f.filter_no || f.grp::text, 'UTF8')), f.filter_no, f.grp, f.events, f.window_events,
    f.units, f.carried, f.weight, f.precise_cents, f.last_at, f.last_created_at, f.last_id
from figures f
join windows w on w.no = f.no
on conflict (rollup_id, key) do update
set
    events = p.events + excluded.events,
    window_events = p.window_events + excluded.window_events,
    units = case
        when $33::text = 'max' then greatest(p.units, excluded.units)
        when $33 <> 'latest' then p.units + excluded.units
        when (excluded.last_at, excluded.last_created_at, excluded.last_id) > (p.last_at, p.last_created_at, p.last_id)
            then excluded.units
        else p.units
    end,
    carried = p.carried + excluded.carried,
    weight = p.weight + excluded.weight,
    precise_cents = p.precise_cents + excluded.precise_cents,
    (last_at, last_created_at, last_id) = (
        select last.*
        from (
            values (p.last_at, p.last_created_at, p.last_id),
                (excluded.last_at, excluded.last_created_at, excluded.last_id)
        ) as last (at, created_at, id)
        order by at desc, created_at desc, id desc
        limit 1
    )
