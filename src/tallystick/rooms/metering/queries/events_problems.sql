-- The hourly health check of one organization (webhooks.md §5.4): transaction ids of events received in [$2, $3).
with received as (
    select e.transaction_id, e.properties, m.aggregation_type, m.field_name, m.filters, m.id as metric_id, f.value
    from events e
    left join billable_metrics m
        on m.organization_id = e.organization_id and m.code = e.code and m.deleted_at is null
    cross join lateral (select e.properties ->> m.field_name as value) f
    where e.organization_id = $1 and e.created_at >= $2 and e.created_at < $3
), judged as (
    select
        transaction_id,
        metric_id is null as invalid_code,
        metric_id is not null and aggregation_type <> 'count_agg' and field_name is not null and (
            value is null
            or aggregation_type in ('sum_agg', 'max_agg', 'weighted_sum_agg', 'latest_agg')
            and value !~ '^-?[0-9]+(\.[0-9]+)?$'
        ) as missing_property,
        metric_id is not null and exists (
            select from jsonb_each(filters) as declared (key, accepted)
            where properties ->> declared.key is not null and not declared.accepted ? (properties ->> declared.key)
        ) as invalid_value
    from received
)
select
    array_agg(distinct transaction_id collate "C" order by transaction_id collate "C") filter (where invalid_code),
    array_agg(distinct transaction_id collate "C" order by transaction_id collate "C") filter (where missing_property),
    array_agg(distinct transaction_id collate "C" order by transaction_id collate "C") filter (where invalid_value)
from judged
