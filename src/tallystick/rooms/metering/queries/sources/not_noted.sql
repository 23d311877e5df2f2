            -- but those that are noted as unrolled
            and not exists (
                select from unrolled_events u
                cross join lateral unnest(u.event_ids) as n (event_id)
                where u.stream_id = w.stream_id and n.event_id = e.id
            )
