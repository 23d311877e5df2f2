-- Stores the events whose identity is new, and returns the places (from 1) of those that were refused.
with sent as (
    select *
    from unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[], $8::numeric[],
        $9::timestamptz[]
    ) with ordinality as t (
        organization_id, id, transaction_id, external_subscription_id, code, "timestamp", properties,
        precise_total_amount_cents, created_at, place
    )
), first_sent as (
    -- sorted: statements that meet the same identities wait for each other in one order, so they cannot deadlock
    select distinct on (organization_id, transaction_id, external_subscription_id) *
    from sent
    order by organization_id, transaction_id, external_subscription_id, place
), fresh as (
    insert into event_keys (organization_id, transaction_id, external_subscription_id, "timestamp", event_id)
    select organization_id, transaction_id, external_subscription_id, "timestamp", id from first_sent
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
