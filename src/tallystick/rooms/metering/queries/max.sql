-- Maxima (metering.md §3.2).
select no, filter_no, grp, count(*) as events, count(*) as window_events, max(amount) as units
from bucketed
where amount is not null
group by no, filter_no, grp
