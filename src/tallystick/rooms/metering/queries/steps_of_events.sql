-- The steps that these events made.
select
    no, filter_no, grp, id, selected as counted, step as applied, raised, units, events, window_events, precise_cents,
    precise as own_precise_cents
from steps
where id = any($33::uuid[])
