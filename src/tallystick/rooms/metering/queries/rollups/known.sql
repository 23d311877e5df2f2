-- The rollups of streams, with how many of their events wait to be rolled up, $4 at most.
select
    a.place,
    s.id as stream_id,
    r.id as rollup_id,
    r.definition,
    r.built,
    r.asked_on < current_date as is_old,
    u.waiting,
    case when a.carries then (
        select min(b.started_at) from subscriptions b
        where b.organization_id = a.organization_id and b.external_id = a.external_subscription_id
    ) end as first_started_at
from unnest($1::uuid[], $2::text[], $3::text[], $5::boolean[]) with ordinality
    as a (organization_id, external_subscription_id, code, carries, place)
cross join lateral (
    select id from rolled_streams s
    where s.organization_id = a.organization_id
        and s.external_subscription_id = a.external_subscription_id
        and s.code = a.code
    offset 0
) s
cross join lateral (
    select coalesce(sum(events), 0) as waiting
    from (select cardinality(event_ids) as events from unrolled_events where stream_id = s.id limit $4) n
) u
left join lateral (select * from rollups r where r.stream_id = s.id offset 0) r on true
