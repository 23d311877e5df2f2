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

-- The same for what they remember of who is watched: organizations with usage thresholds or alerts.
create function tally_tell_of_watches() returns trigger language plpgsql as $$
begin
  perform pg_notify('tallystick_watches', '');
  return null;
end $$;

create trigger usage_thresholds_changed after insert or update or delete on usage_thresholds
  for each statement execute function tally_tell_of_watches();
create trigger alerts_created after insert on alerts
  for each statement execute function tally_tell_of_watches();
