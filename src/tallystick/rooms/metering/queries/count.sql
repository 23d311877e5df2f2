-- Counts (metering.md §3.2).
select no, filter_no, grp, count(*) as events, count(*) as window_events, count(*)::numeric as units
from bucketed
group by no, filter_no, grp
