        -- events that the rollup does not hold yet: all of them, or what is noted in these rows
        select e.*
        from unrolled_events u
        cross join lateral unnest(u.timestamps, u.event_ids) as n (at, event_id)
        cross join lateral (
            select * from events e
            where e.organization_id = w.organization_id and e."timestamp" = n.at and e.id = n.event_id
                and e."timestamp" >= $30::timestamptz
                and e."timestamp" < $31::timestamptz
            offset 0
        ) e
        where u.stream_id = w.stream_id
            and ($34::bigint[] is null or u.id = any($34))
            and n.at >= w.earliest_at
            and n.at < w.end_at
