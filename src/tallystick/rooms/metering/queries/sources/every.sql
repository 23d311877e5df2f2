        -- every event that the window reaches
        select * from events e
        where e.organization_id = w.organization_id
            and e.external_subscription_id = w.external_subscription_id
            and e.code = w.code
            and e."timestamp" >= w.earliest_at
            and e."timestamp" < w.end_at
            and e."timestamp" >= $30::timestamptz
            and e."timestamp" < $31::timestamptz
