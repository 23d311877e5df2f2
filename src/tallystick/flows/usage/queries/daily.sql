-- What days added to usage, by metric and day, week or month: rows of `daily_usages` that pass all filters given.
select
    u.organization_id,
    date_trunc(cast(:granularity as text), u.usage_on::timestamp)::date as start_on,
    (date_trunc(cast(:granularity as text), u.usage_on::timestamp) + cast(cast(:length as text) as interval) - interval '1 day')::date as end_on,
    u.currency,
    m.code,
    bool_and(m.deleted_at is not null) as deleted,
    sum(d.units) as units,
    sum(d.amount_cents)::bigint as amount_cents
from daily_usages u
join customers c on c.id = u.customer_id
join subscriptions s on s.id = u.subscription_id
join plans p on p.id = s.plan_id
cross join lateral jsonb_to_recordset(u.difference) as d (metric_id uuid, units numeric, amount_cents bigint)
join billable_metrics m on m.id = d.metric_id
where u.organization_id = :organization_id
    and (cast(:from_on as date) is null or u.usage_on >= :from_on)
    and (cast(:to_on as date) is null or u.usage_on <= :to_on)
    and (cast(:currency as text) is null or u.currency = :currency)
    and (cast(:customer_type as text) is null or c.customer_type = :customer_type)
    and (cast(:external_customer_id as text) is null or c.external_id = :external_customer_id)
    and (cast(:customer_country as text) is null or c.country = :customer_country)
    and (cast(:external_subscription_id as text) is null or s.external_id = :external_subscription_id)
    and (cast(:recurring as boolean) is null or m.recurring = :recurring)
    and (cast(:plan_code as text) is null or p.code = :plan_code)
    and (cast(:metric_code as text) is null or m.code = :metric_code)
group by u.organization_id, start_on, end_on, u.currency, m.code
order by start_on, m.code, u.currency
