-- What processes remember of the catalog for a few seconds they forget when it changes (ground/notices.py).
create function tally_tell_of_metrics() returns trigger language plpgsql as $$
begin
  perform pg_notify('tallystick_metrics', '');
  return null;
end $$;

create trigger billable_metrics_changed after insert or update or delete on billable_metrics
  for each statement execute function tally_tell_of_metrics();
create trigger charges_changed after insert or update or delete on charges
  for each statement execute function tally_tell_of_metrics();
