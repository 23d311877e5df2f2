-- What rollups hold, unless events of their streams wait to be rolled up, all of it seen at one instant. A rollup that is
-- there has one row more, without a bucket.
with held as materialized (
    select a.no, a.rollup_id, w.waits
    from unnest($1::int[], $2::uuid[], $3::uuid[]) as a (no, rollup_id, stream_id)
    cross join lateral (select from rollups r where r.id = a.rollup_id and r.built offset 0) r
    cross join lateral (
        select exists (select from unrolled_events u where u.stream_id = a.stream_id) as waits
    ) w
)
select
    h.no, h.waits, p.filter_no, p.grp, p.events, p.window_events, p.units, p.carried, p.weight, p.precise_cents
from held h
cross join lateral (select * from rollup_parts p where p.rollup_id = h.rollup_id offset 0) p
where not h.waits
union all
select no, waits, null, null, null, null, null, null, null, null from held
