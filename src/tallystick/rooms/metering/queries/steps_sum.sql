-- Opens the steps of charges paid in advance: an event moves the level by its value (metering.md §6.2).
, counted as (
    select
        no, filter_no, grp, id, "timestamp", created_at, days > 0 as inside, amount is not null as selected,
        coalesce(amount, 0) as step, coalesce(amount, 0) as first_step,
        case when amount is not null then coalesce(precise_total_amount_cents, 0) else 0 end as precise
    from bucketed
    where btrim(value) <> ''
)
