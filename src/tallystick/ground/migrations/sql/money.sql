-- What the database itself refuses (design §4). CHECKs tie the parts of an invoice row; these tie rows to each other.

-- 1. Lines tie to the header: at commit, the fees of an invoice add up to its fees_amount_cents.
create function tally_check_invoice_lines() returns trigger language plpgsql as $$
declare
  wanted bigint;
  found bigint;
  subject uuid;
begin
  if tg_table_name = 'invoices' then
    subject := new.id;
  elsif tg_op = 'DELETE' then
    subject := old.invoice_id;
  else
    subject := new.invoice_id;
  end if;
  if subject is null then
    return null;
  end if;
  select fees_amount_cents into wanted from invoices where id = subject and status not in ('generating', 'deleted');
  if wanted is null then
    return null;
  end if;
  select coalesce(sum(amount_cents), 0) into found from fees where invoice_id = subject and deleted_at is null;
  if found <> wanted then
    raise exception 'invoice %: fees add up to %, header says %', subject, found, wanted using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger invoices_lines after insert or update of fees_amount_cents, status on invoices
  deferrable initially deferred for each row execute function tally_check_invoice_lines();
create constraint trigger fees_lines after insert or update of amount_cents, invoice_id, deleted_at or delete on fees
  deferrable initially deferred for each row execute function tally_check_invoice_lines();

-- 2. An issued invoice never changes its amounts, its number or its parties.
create function tally_freeze_invoice() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'invoice % is %: it cannot be deleted', old.id, old.status using errcode = 'check_violation';
  end if;
  if new.status not in ('finalized', 'voided') or (old.status = 'voided' and new.status <> 'voided') then
    raise exception 'invoice % is %: it cannot become %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  if (new.organization_id, new.customer_id, new.billing_entity_id, new.invoice_type, new.currency, new.number,
      new.sequential_id, new.issuing_date, new.fees_amount_cents, new.progressive_billing_credit_amount_cents,
      new.coupons_amount_cents, new.sub_total_excluding_taxes_amount_cents, new.taxes_amount_cents, new.taxes_rate,
      new.sub_total_including_taxes_amount_cents, new.credit_notes_amount_cents, new.prepaid_credit_amount_cents,
      new.total_amount_cents)
     is distinct from
     (old.organization_id, old.customer_id, old.billing_entity_id, old.invoice_type, old.currency, old.number,
      old.sequential_id, old.issuing_date, old.fees_amount_cents, old.progressive_billing_credit_amount_cents,
      old.coupons_amount_cents, old.sub_total_excluding_taxes_amount_cents, old.taxes_amount_cents, old.taxes_rate,
      old.sub_total_including_taxes_amount_cents, old.credit_notes_amount_cents, old.prepaid_credit_amount_cents,
      old.total_amount_cents) then
    raise exception 'invoice % is %: its amounts are frozen', old.id, old.status using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger invoices_frozen before update or delete on invoices
  for each row when (old.status in ('finalized', 'voided')) execute function tally_freeze_invoice();

-- 3. Neither do its lines and taxes. A set of lines is written before its header (their keys are deferred), so a line
--    that finds its header issued comes too late.
create function tally_freeze_line() returns trigger language plpgsql as $$
declare
  subject uuid;
begin
  if tg_op = 'DELETE' then subject := old.invoice_id; else subject := new.invoice_id; end if;
  if exists (select from invoices where id = subject and status in ('finalized', 'voided')) then
    raise exception 'invoice % is issued: its lines are frozen', subject using errcode = 'check_violation';
  end if;
  if tg_op = 'UPDATE' and old.invoice_id is distinct from new.invoice_id
     and exists (select from invoices where id = old.invoice_id and status in ('finalized', 'voided')) then
    raise exception 'invoice % is issued: its lines are frozen', old.invoice_id using errcode = 'check_violation';
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$;

create trigger fees_frozen_insert before insert on fees
  for each row when (new.invoice_id is not null) execute function tally_freeze_line();
create trigger fees_frozen_delete before delete on fees
  for each row when (old.invoice_id is not null) execute function tally_freeze_line();
create trigger fees_frozen_update before update on fees
  for each row when (
    (old.invoice_id, old.amount_cents, old.precise_amount_cents, old.units, old.currency, old.precise_coupons_amount_cents,
     old.taxes_amount_cents, old.deleted_at, old.fee_type, old.subscription_id, old.charge_id)
    is distinct from
    (new.invoice_id, new.amount_cents, new.precise_amount_cents, new.units, new.currency, new.precise_coupons_amount_cents,
     new.taxes_amount_cents, new.deleted_at, new.fee_type, new.subscription_id, new.charge_id))
  execute function tally_freeze_line();
create trigger invoice_taxes_frozen before insert or update or delete on invoice_taxes
  for each row execute function tally_freeze_line();

-- 4. Raw events never change.
create function tally_refuse_event_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are immutable' using errcode = 'check_violation';
end $$;

create trigger events_immutable before update on events for each row execute function tally_refuse_event_change();
