-- The last event of every bucket and group with its place in time: which group was the last one at all (metering.md §4.4).
select distinct on (no, filter_no, grp) no, filter_no, grp, amount, "timestamp", created_at, id
from bucketed
where amount is not null
order by no, filter_no, grp, "timestamp" desc, created_at desc, id desc
