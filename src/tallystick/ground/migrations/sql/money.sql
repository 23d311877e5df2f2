-- What the database itself refuses (design §4). CHECKs tie the parts of an invoice row; these tie rows to each other.
--
-- Sets of thousands are written at once, so whatever can be checked for a whole statement is: lines look up what they
-- refer to in one query for each statement (transition tables), not in one for each row and key.

-- 1. Lines tie to the header: at commit, the fees of an invoice add up to its fees_amount_cents.
create function tally_check_invoice_lines() returns trigger language plpgsql as $$
declare
  found bigint;
  wanted bigint;
begin
  if new.status in ('generating', 'deleted') then
    return null;
  end if;
  select coalesce(sum(amount_cents), 0) into found from fees where invoice_id = new.id and deleted_at is null;
  select fees_amount_cents into wanted from invoices where id = new.id;
  if found <> wanted then
    raise exception 'invoice %: fees add up to %, header says %', new.id, found, wanted using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger invoices_lines after insert or update on invoices
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
      new.prepaid_granted_credit_amount_cents, new.prepaid_purchased_credit_amount_cents, new.total_amount_cents)
     is distinct from
     (old.organization_id, old.customer_id, old.billing_entity_id, old.invoice_type, old.currency, old.number,
      old.sequential_id, old.issuing_date, old.fees_amount_cents, old.progressive_billing_credit_amount_cents,
      old.coupons_amount_cents, old.sub_total_excluding_taxes_amount_cents, old.taxes_amount_cents, old.taxes_rate,
      old.sub_total_including_taxes_amount_cents, old.credit_notes_amount_cents, old.prepaid_credit_amount_cents,
      old.prepaid_granted_credit_amount_cents, old.prepaid_purchased_credit_amount_cents, old.total_amount_cents) then
    raise exception 'invoice % is %: its amounts are frozen', old.id, old.status using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger invoices_frozen before update or delete on invoices
  for each row when (old.status in ('finalized', 'voided')) execute function tally_freeze_invoice();

-- 3. Neither do its lines and taxes. A set of lines is written before its header (their keys are deferred), so a line
--    that finds its header issued comes too late. One that finds a draft has the draft's lines added up at commit.
create function tally_check_new_fees() returns trigger language plpgsql as $$
begin
  if exists (select from new_rows n join invoices i on i.id = n.invoice_id where i.status in ('finalized', 'voided')) then
    raise exception 'an issued invoice takes no more lines: its lines are frozen' using errcode = 'check_violation';
  end if;
  update invoices i set updated_at = i.updated_at
    from (select distinct invoice_id from new_rows) n where i.id = n.invoice_id;
  if exists (
    select from new_rows n
    left join customers c on c.id = n.customer_id
    left join subscriptions s on s.id = n.subscription_id
    left join charges h on h.id = n.charge_id
    left join charge_filters f on f.id = n.charge_filter_id
    left join fixed_charges x on x.id = n.fixed_charge_id
    where c.id is null or (n.subscription_id is not null and s.id is null) or (n.charge_id is not null and h.id is null)
      or (n.charge_filter_id is not null and f.id is null) or (n.fixed_charge_id is not null and x.id is null)
  ) then
    raise exception 'a fee refers to what does not exist' using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

create trigger fees_new after insert on fees referencing new table as new_rows
  for each statement execute function tally_check_new_fees();

create function tally_freeze_line() returns trigger language plpgsql as $$
begin
  if exists (select from invoices where id = old.invoice_id and status in ('finalized', 'voided')) then
    raise exception 'invoice % is issued: its lines are frozen', old.invoice_id using errcode = 'check_violation';
  end if;
  if tg_op = 'DELETE' then
    update invoices set updated_at = updated_at where id = old.invoice_id;
    return old;
  end if;
  if exists (select from invoices where id = new.invoice_id and status in ('finalized', 'voided')) then
    raise exception 'invoice % is issued: its lines are frozen', new.invoice_id using errcode = 'check_violation';
  end if;
  update invoices set updated_at = updated_at where id in (old.invoice_id, new.invoice_id);
  return new;
end $$;

create trigger fees_frozen_delete before delete on fees
  for each row when (old.invoice_id is not null) execute function tally_freeze_line();
create trigger fees_frozen_update before update on fees
  for each row when (
    (old.invoice_id, old.amount_cents, old.precise_amount_cents, old.units, old.currency, old.precise_coupons_amount_cents,
     old.precise_credit_notes_amount_cents, old.taxes_amount_cents, old.deleted_at)
    is distinct from
    (new.invoice_id, new.amount_cents, new.precise_amount_cents, new.units, new.currency, new.precise_coupons_amount_cents,
     new.precise_credit_notes_amount_cents, new.taxes_amount_cents, new.deleted_at))
  execute function tally_freeze_line();

create function tally_refuse_other_subject() returns trigger language plpgsql as $$
begin
  raise exception 'fee %: a fee never changes what it is for', old.id using errcode = 'check_violation';
end $$;

create trigger fees_subject before update on fees
  for each row when (
    (old.organization_id, old.customer_id, old.subscription_id, old.charge_id, old.charge_filter_id, old.fixed_charge_id,
     old.fee_type)
    is distinct from
    (new.organization_id, new.customer_id, new.subscription_id, new.charge_id, new.charge_filter_id, new.fixed_charge_id,
     new.fee_type))
  execute function tally_refuse_other_subject();

create function tally_check_new_invoice_taxes() returns trigger language plpgsql as $$
begin
  if exists (select from new_rows n join invoices i on i.id = n.invoice_id where i.status in ('finalized', 'voided')) then
    raise exception 'an issued invoice takes no more taxes: its lines are frozen' using errcode = 'check_violation';
  end if;
  return null;
end $$;

create trigger invoice_taxes_new after insert on invoice_taxes referencing new table as new_rows
  for each statement execute function tally_check_new_invoice_taxes();
create trigger invoice_taxes_frozen before update or delete on invoice_taxes
  for each row execute function tally_freeze_line();

create function tally_check_new_fee_taxes() returns trigger language plpgsql as $$
begin
  if exists (select from new_rows n left join fees f on f.id = n.fee_id where f.id is null) then
    raise exception 'a tax refers to a fee that does not exist' using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

create trigger fee_taxes_new after insert on fee_taxes referencing new table as new_rows
  for each statement execute function tally_check_new_fee_taxes();

-- 4. Raw events never change.
create function tally_refuse_event_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are immutable' using errcode = 'check_violation';
end $$;

create trigger events_immutable before update on events for each row execute function tally_refuse_event_change();
