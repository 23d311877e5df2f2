-- Opens the steps of charges paid in advance: every event is one unit (metering.md §6.2).
, counted as (
    select
        no, filter_no, grp, id, "timestamp", created_at, days > 0 as inside, true as selected, 1::numeric as step,
        1::numeric as first_step, 0::numeric as precise
    from bucketed
)
