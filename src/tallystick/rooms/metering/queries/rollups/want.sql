-- Asks for rollups, unless somebody else is doing so: nobody waits here. Without a definition only the stream is noted.
with turn as materialized (
    select pg_try_advisory_xact_lock(hashtextextended('rollups', 0)) as mine
), wanted as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[])
        as w (organization_id, external_subscription_id, code, definition, question)
    where (select mine from turn)
), new_streams as (
    insert into rolled_streams (id, organization_id, external_subscription_id, code)
    select gen_random_uuid(), organization_id, external_subscription_id, code
    from (select distinct organization_id, external_subscription_id, code from wanted) w
    on conflict do nothing
    returning id, organization_id, external_subscription_id, code
), streams as (
    select * from new_streams
    union all
    select id, organization_id, external_subscription_id, code from rolled_streams
)
insert into rollups as r (id, stream_id, definition, question, built, asked_on)
select gen_random_uuid(), s.id, w.definition, w.question, false, current_date
from wanted w
join streams s using (organization_id, external_subscription_id, code)
where w.definition is not null
on conflict (stream_id, definition) do update set asked_on = excluded.asked_on where r.asked_on < excluded.asked_on
