-- Stores the events whose identity is new, and returns the places (from 1) of those that were refused.
-- Parameters: organizations and instants of reception, and from which place on they hold; then the columns of events.
with sent as (
    select ($1::uuid[])[origin] as organization_id, ($2::timestamptz[])[origin] as created_at, placed.*
    from (
        select *, width_bucket(place, $3::bigint[]) as origin
        from unnest(
            $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::jsonb[], $10::numeric[]
        ) with ordinality as t (
            id, transaction_id, external_subscription_id, code, "timestamp", properties, precise_total_amount_cents,
            place
        )
    ) as placed
), fresh as (
    insert into event_keys (organization_id, transaction_id, external_subscription_id, "timestamp", event_id)
    select organization_id, transaction_id, external_subscription_id, "timestamp", id
    from sent
    -- sorted: statements that meet the same identities wait for each other in one order, so they cannot deadlock;
    -- of equal ones the first is stored
    order by transaction_id, external_subscription_id, organization_id, place
    on conflict do nothing
    returning event_id
), stored as (
    insert into events (
        organization_id, "timestamp", id, external_subscription_id, transaction_id, code, properties,
        precise_total_amount_cents, created_at
    )
    select
        organization_id, "timestamp", id, external_subscription_id, transaction_id, code, properties,
        precise_total_amount_cents, created_at
    from sent
    join fresh on fresh.event_id = sent.id
)
select place from sent left join fresh on fresh.event_id = sent.id where fresh.event_id is null order by place
