-- Selected events with what became of each: why it does not count, or how it stands among those that do (metering.md §3).
-- $33 one event or all; $34 and $35 the counting events of a bucket and group, or all; $36 and $37 limit and offset.
, judged as (
    select
        b.*,
        case
            when $32 = 'number' and b.value is null then 'property_missing'
            when $32 = 'text' and coalesce(b.value, '') = '' then 'property_missing'
            when $32 = 'number' and b.amount is null then 'property_not_numeric'
            when $32 = 'text' and b.operation not in ('add', 'remove') then 'operation_unknown'
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
    where ($33::uuid is null or id = $33) and ($34::int is null or filter_no = $34 and grp = $35::text[] and refusal is null)
)
select t.total, c.*
from (select count(*) as total from wanted) t
left join (select * from wanted order by no, "timestamp", created_at, id limit $36 offset $37) c on true
order by c.no, c."timestamp", c.created_at, c.id
