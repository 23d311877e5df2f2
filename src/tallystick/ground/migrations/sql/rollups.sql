-- Usage added up beforehand (docs/decisions/0011). Every event of a stream that is rolled up is noted in the transaction
-- that stores it. The trigger runs when that transaction has its number already, and looks for streams after that: the
-- proof needs both.
create function tally_note_unrolled() returns trigger language plpgsql as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'events are stored in read committed transactions only';
  end if;
  if not exists (select from rolled_streams) then
    return null;
  end if;
  insert into unrolled_events (stream_id, timestamps, event_ids)
  select s.id, f.timestamps, f.event_ids
  from (
    select organization_id, external_subscription_id, code, array_agg("timestamp") as timestamps, array_agg(id) as event_ids
    from fresh
    group by organization_id, external_subscription_id, code
  ) f
  cross join lateral (
    -- "offset 0": one walk of the index for each stream, whatever the planner is told (INSERT_SETTINGS)
    select s.id from rolled_streams s
    where s.organization_id = f.organization_id
      and s.external_subscription_id = f.external_subscription_id
      and s.code = f.code
    offset 0
  ) s;
  return null;
end $$;

create trigger events_noted after insert on events referencing new table as fresh
  for each statement execute function tally_note_unrolled();

-- Whoever empties one of the tables empties all: half a cache would be wrong, none is only slower.
create function tally_forget_streams() returns trigger language plpgsql as $$
begin
  delete from rolled_streams;
  return null;
end $$;

create trigger unrolled_events_emptied before truncate on unrolled_events
  for each statement execute function tally_forget_streams();
create trigger rollup_parts_emptied before truncate on rollup_parts
  for each statement execute function tally_forget_streams();
create trigger rollup_texts_emptied before truncate on rollup_texts
  for each statement execute function tally_forget_streams();
