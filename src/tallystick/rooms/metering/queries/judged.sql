-- Selected events with what became of each: why it does not count, or how it stands among those that do (metering.md §3).
-- $31 one event or all; $32 and $33 the counting events of a bucket and group, or all; $34 and $35 limit and offset.
, judged as (
    select
        b.*,
        case
            when $30 = 'number' and b.value is null then 'property_missing'
            when $30 = 'text' and coalesce(b.value, '') = '' then 'property_missing'
            when $30 = 'number' and b.amount is null then 'property_not_numeric'
            when $30 = 'text' and b.operation not in ('add', 'remove') then 'operation_unknown'
        end as refusal
    from bucketed b
), placed as (
    select
        *,
        operation = lag(operation, 1, 'remove') over (
            partition by no, filter_no, grp, refusal is null, value collate "C" order by "timestamp", created_at, id
        ) as repeats,
        row_number() over (its_group order by "timestamp" desc, created_at desc, id desc) = 1 as is_last,
        amount = max(amount) over its_group as is_highest
    from judged
    window its_group as (partition by no, filter_no, grp, refusal is null)
), wanted as (
    select *
    from placed
    where ($31::uuid is null or id = $31) and ($32::int is null or filter_no = $32 and grp = $33::text[] and refusal is null)
)
select t.total, c.*
from (select count(*) as total from wanted) t
left join (select * from wanted order by no, "timestamp", created_at, id limit $34 offset $35) c on true
order by c.no, c."timestamp", c.created_at, c.id
