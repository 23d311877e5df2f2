-- Opens the steps of charges paid in advance: texts are added and removed (metering.md §6.2). The first event of a
-- period begins its level anew: it cannot lower it.
, operations as (
    select
        *,
        coalesce(lag(operation) over its = 'add', false) as active
    from bucketed
    where value <> '' and operation in ('add', 'remove')
    window its as (partition by no, filter_no, grp, value order by "timestamp", created_at, id)
), counted as (
    select
        no, filter_no, grp, id, "timestamp", created_at, days > 0 as inside, true as selected,
        case when operation = 'add' and not active then 1 when operation = 'remove' and active then -1 else 0 end::numeric
            as step,
        case when operation = 'add' and not active then 1 else 0 end::numeric as first_step,
        0::numeric as precise
    from operations
)
