-- Opens every aggregation: the events of each window with value, bucket and group (metering.md §3.1, §4.1, §4.3).
-- One row of `bucketed` is one event of one window: `no` is the window's place, `filter_no` 0 the default bucket.
with windows as materialized (
    select
        w.*,
        case
            when w.reach is not null then w.reach
            -- weighted sums carry what is not older than the oldest subscription with the external id (§3.4)
            else least(w.start_at, (
                select min(s.started_at) from subscriptions s
                where s.organization_id = w.organization_id and s.external_id = w.external_subscription_id
            ))
        end as earliest_at,
        w.end_at - interval '1 microsecond' as last_at,
        (w.start_at at time zone w.timezone)::date as first_day,
        ((w.end_at - interval '1 microsecond') at time zone w.timezone)::date as last_day
    from unnest(
        $1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::timestamptz[],
        $9::timestamptz[], $10::timestamptz[], $11::text[], $12::boolean[], $13::uuid[], $14::uuid[]
    ) as w (
        no, organization_id, external_subscription_id, code, field, charge_no, reach, from_at, start_at, end_at, timezone,
        itemized, rollup_id, stream_id
    )
), read_keys as (
    -- properties that decide bucket or group, by charge
    select charge_no, array_agg(key order by place) as keys
    from unnest($15::int[], $16::int[], $17::text[]) as k (charge_no, place, key)
    group by charge_no
), accepted as (
    -- each value that a key of a filter accepts; `keys` is how many keys the filter has
    select * from unnest($18::int[], $19::int[], $20::int[], $21::int[], $22::text[])
        as a (charge_no, filter_no, keys, place, value)
), narrower as (
    -- pairs of filters with the same keys of which one is strictly narrower
    select * from unnest($23::int[], $24::int[], $25::int[]) as n (charge_no, wide_no, narrow_no)
), grouped as (
    -- places of the group keys, by bucket
    select charge_no, filter_no, array_agg(place order by position) as places
    from unnest($26::int[], $27::int[], $28::int[], $29::int[]) as g (charge_no, filter_no, position, place)
    group by charge_no, filter_no
), selected as materialized (
    select
        w.no,
        w.charge_no,
        e."timestamp",
        e.created_at,
        e.id,
        e.precise_total_amount_cents,
        v.value,
        case
            when $32::text = 'number' and length(v.value) <= 500 and v.value ~ '^-?[0-9]+(\.[0-9]+)?$' then v.value::numeric
        end as amount,
        case when $32 = 'text' then coalesce(nullif(e.properties ->> 'operation_type', ''), 'add') end as operation,
        -- days the event pays for: 0 before the window, 1 where days do not matter
        case
            when e."timestamp" < w.start_at then 0
            when w.timezone is null then 1
            else w.last_day - (e."timestamp" at time zone w.timezone)::date + 1
        end as days,
        case when k.keys is not null then array(select e.properties ->> key from unnest(k.keys) as key) end as signature
    from windows w
    left join read_keys k on k.charge_no = w.charge_no
    -- "offset 0" keeps this a walk of an index for each window, while all other joins are hashed (selection.py)
    cross join lateral (
        -- source
        offset 0
    ) e
    cross join lateral (select e.properties ->> w.field as value) v
), signatures as (
    select distinct charge_no, signature from selected where signature is not null
), matching as (
    select s.charge_no, s.signature, a.filter_no, a.keys, max(a.keys) over (partition by s.charge_no, s.signature) as most
    from signatures s
    cross join lateral unnest(s.signature) with ordinality as p (value, place)
    join accepted a on a.charge_no = s.charge_no and a.place = p.place and a.value = p.value
    group by s.charge_no, s.signature, a.filter_no, a.keys
    having count(*) = a.keys
), chosen as (
    -- most keys, then none that is wider than another match, then the oldest: filters are numbered by age
    select m.charge_no, m.signature, min(m.filter_no) as filter_no
    from matching m
    where m.keys = m.most
        and not exists (
            select from narrower n
            join matching o
                on o.charge_no = n.charge_no and o.filter_no = n.narrow_no and o.signature = m.signature
            where n.charge_no = m.charge_no and n.wide_no = m.filter_no
        )
    group by m.charge_no, m.signature
), buckets as (
    select
        s.charge_no,
        s.signature,
        coalesce(c.filter_no, 0) as filter_no,
        array(select nullif(s.signature[place], '') from unnest(g.places) as place) as grp
    from signatures s
    left join chosen c on c.charge_no = s.charge_no and c.signature = s.signature
    left join grouped g on g.charge_no = s.charge_no and g.filter_no = coalesce(c.filter_no, 0)
), bucketed as (
    select s.*, coalesce(b.filter_no, 0) as filter_no, coalesce(b.grp, '{}') as grp
    from selected s
    left join buckets b on b.charge_no = s.charge_no and b.signature = s.signature
)
