-- The single values of sums and maxima in order, with the days they pay for (rating.md §5.1, §8).
select
    no,
    filter_no,
    grp,
    array_agg(amount order by "timestamp", created_at, id) as values,
    array_agg(days order by "timestamp", created_at, id) as days
from bucketed
where amount is not null
group by no, filter_no, grp
