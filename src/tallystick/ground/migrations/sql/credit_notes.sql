-- What the database itself refuses about credit notes (design §4), as money.sql does about invoices.

-- 1. Items tie to the header, and fees to their items: at commit, a note's items less its share of coupons make its sub
--    total, and no fee has items of more than its amount, whatever became of their notes (deleted ones apart).
create function tally_check_note_items() returns trigger language plpgsql as $$
declare
  subject uuid;
  note credit_notes%rowtype;
  items numeric;
begin
  if tg_table_name = 'credit_notes' then
    subject := new.id;
  elsif tg_op = 'DELETE' then
    subject := old.credit_note_id;
  else
    subject := new.credit_note_id;
  end if;
  select * into note from credit_notes where id = subject;
  if note.status = 'deleted' then return null; end if;
  select coalesce(sum(precise_amount_cents), 0) into items from credit_note_items where credit_note_id = subject;
  if round(items - note.precise_coupons_adjustment_amount_cents) <> note.sub_total_excluding_taxes_amount_cents then
    raise exception 'credit note %: its items do not make its sub total', subject using errcode = 'check_violation';
  end if;
  if exists (
    select from credit_note_items i
    join fees f on f.id = i.fee_id
    where i.credit_note_id = subject and f.amount_cents < (
      select sum(o.amount_cents) from credit_note_items o
      join credit_notes n on n.id = o.credit_note_id
      where o.fee_id = i.fee_id and n.status <> 'deleted'
    )
  ) then
    raise exception 'credit note %: a fee would be credited for more than its amount', subject
      using errcode = 'check_violation';
  end if;
  if exists (
    select from credit_note_items i join fees f on f.id = i.fee_id
    where i.credit_note_id = subject and f.invoice_id is distinct from note.invoice_id
  ) then
    raise exception 'credit note %: an item is of another invoice', subject using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger credit_notes_items after insert or update on credit_notes
  deferrable initially deferred for each row execute function tally_check_note_items();
create constraint trigger credit_note_items_total after insert or update or delete on credit_note_items
  deferrable initially deferred for each row execute function tally_check_note_items();

-- 2. A final note never changes its amounts, its number or its parties; what goes on is its balance, its refund, its
--    metadata and its files. A voided note stays voided.
create function tally_freeze_note() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'credit note % is final: it cannot be deleted', old.id using errcode = 'check_violation';
  end if;
  if (new.organization_id, new.customer_id, new.invoice_id, new.status, new.sequential_id, new.number,
      new.issuing_date, new.currency, new.reason, new.total_amount_cents, new.credit_amount_cents,
      new.refund_amount_cents, new.offset_amount_cents, new.sub_total_excluding_taxes_amount_cents,
      new.taxes_amount_cents, new.precise_taxes_amount_cents, new.taxes_rate, new.coupons_adjustment_amount_cents,
      new.precise_coupons_adjustment_amount_cents, new.precise_total_amount_cents)
     is distinct from
     (old.organization_id, old.customer_id, old.invoice_id, old.status, old.sequential_id, old.number,
      old.issuing_date, old.currency, old.reason, old.total_amount_cents, old.credit_amount_cents,
      old.refund_amount_cents, old.offset_amount_cents, old.sub_total_excluding_taxes_amount_cents,
      old.taxes_amount_cents, old.precise_taxes_amount_cents, old.taxes_rate, old.coupons_adjustment_amount_cents,
      old.precise_coupons_adjustment_amount_cents, old.precise_total_amount_cents) then
    raise exception 'credit note % is final: its amounts are frozen', old.id using errcode = 'check_violation';
  end if;
  if old.credit_status = 'voided' and new.credit_status <> 'voided' then
    raise exception 'credit note % is voided for ever', old.id using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger credit_notes_frozen before update or delete on credit_notes
  for each row when (old.status = 'finalized') execute function tally_freeze_note();

-- 3. Neither do its items and taxes. They are written before their note (their keys are deferred), so one that finds
--    its note final comes too late.
create function tally_freeze_note_line() returns trigger language plpgsql as $$
declare
  subject uuid;
begin
  if tg_op = 'INSERT' then subject := new.credit_note_id; else subject := old.credit_note_id; end if;
  if exists (select from credit_notes where id = subject and status = 'finalized') then
    raise exception 'credit note % is final: its lines are frozen', subject using errcode = 'check_violation';
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$;

create trigger credit_note_items_frozen before insert or update or delete on credit_note_items
  for each row execute function tally_freeze_note_line();
create trigger credit_note_taxes_frozen before insert or update or delete on credit_note_taxes
  for each row execute function tally_freeze_note_line();

-- 4. The balance is what invoices left of the credit. A closed invoice gives back what it took, a voided one does not
--    (credits.md §3.8, §3.9); nothing is left of a voided note.
create function tally_check_note_balance() returns trigger language plpgsql as $$
declare
  subject uuid;
  note credit_notes%rowtype;
  used bigint;
begin
  if tg_table_name = 'credit_notes' then subject := new.id; else subject := new.source_id; end if;
  select * into note from credit_notes where id = subject;
  if note.status = 'deleted' or note.credit_status = 'voided' then return null; end if;
  select coalesce(sum(c.amount_cents), 0) into used
    from invoice_credits c join invoices i on i.id = c.invoice_id
    where c.kind = 'credit_note' and c.source_id = subject and i.status not in ('closed', 'deleted');
  if note.id is null or note.balance_amount_cents <> note.credit_amount_cents - used then
    raise exception 'credit note %: its balance is not what invoices left of its credit', subject
      using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger credit_notes_balance after insert or update on credit_notes
  deferrable initially deferred for each row execute function tally_check_note_balance();
create constraint trigger invoice_credits_of_notes after insert on invoice_credits
  deferrable initially deferred for each row when (new.kind = 'credit_note')
  execute function tally_check_note_balance();

-- 5. What notes take off what is due of their invoice is in its header.
create function tally_check_offsets() returns trigger language plpgsql as $$
declare
  subject uuid;
  offsets bigint;
  header bigint;
begin
  if tg_table_name = 'invoices' then subject := new.id; else subject := new.invoice_id; end if;
  select coalesce(sum(offset_amount_cents), 0) into offsets
    from credit_notes where invoice_id = subject and status = 'finalized';
  select offset_amount_cents into header from invoices where id = subject;
  if header <> offsets then
    raise exception 'invoice %: offsets of its credit notes are %, header says %', subject, offsets, header
      using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger invoices_offsets after update of offset_amount_cents on invoices
  deferrable initially deferred for each row execute function tally_check_offsets();
create constraint trigger credit_notes_offsets after insert or update of status on credit_notes
  deferrable initially deferred for each row when (new.offset_amount_cents > 0) execute function tally_check_offsets();
