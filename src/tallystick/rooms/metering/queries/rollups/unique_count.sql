-- What events change in unique counts that are rolled up: the last operation of each text, in time, decides whether it
-- is there (metering.md §3.3). `changed` is one text.
, last_operations as (
    select distinct on (b.no, b.filter_no, b.grp, b.value)
        b.no,
        b.filter_no,
        b.grp,
        sha256(convert_to(b.filter_no || b.grp::text || b.value, 'UTF8')) as key,
        count(*) over its as events,
        count(*) filter (where b.days > 0) over its as window_events,
        b.operation = 'add' as there,
        b."timestamp" as last_at,
        b.created_at as last_created_at,
        b.id as last_id
    from bucketed b
    where b.value <> '' and b.operation in ('add', 'remove')
    window its as (partition by b.no, b.filter_no, b.grp, b.value)
    order by b.no, b.filter_no, b.grp, b.value, b."timestamp" desc, b.created_at desc, b.id desc
), changed as (
    select
        w.rollup_id,
        o.*,
        coalesce(t.there, false) as was_there,
        t.key is null or (o.last_at, o.last_created_at, o.last_id) > (t.last_at, t.last_created_at, t.last_id) as is_last
    from last_operations o
    join windows w on w.no = o.no
    left join lateral (
        select * from rollup_texts t where t.rollup_id = w.rollup_id and t.key = o.key offset 0
    ) t on true
), figures as (
    select
        no,
        filter_no,
        grp,
        sum(events)::bigint as events,
        sum(window_events)::bigint as window_events,
        coalesce(sum(there::int - was_there::int) filter (where is_last), 0)::numeric as units,
        0::numeric as carried,
        0::numeric as weight,
        0::numeric as precise_cents,
        null::timestamptz as last_at,
        null::timestamptz as last_created_at,
        null::uuid as last_id
    from changed
    group by no, filter_no, grp
)
