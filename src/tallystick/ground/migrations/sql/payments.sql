-- What the database itself refuses about payments (design §4), as money.sql does about invoices.

-- 1. Payments tie to the header: at commit, the succeeded payments of an invoice are its total_paid_amount_cents, and
--    those recorded by hand never pay more than offsets leave of its total (payments.md §3.10, §3.11).
create function tally_check_paid() returns trigger language plpgsql as $$
declare
  subject uuid;
  header invoices%rowtype;
  paid bigint;
  by_hand bigint;
begin
  if tg_table_name = 'invoices' then subject := new.id; else subject := new.invoice_id; end if;
  select * into header from invoices where id = subject;
  select coalesce(sum(amount_cents), 0), coalesce(sum(amount_cents) filter (where payment_type = 'manual'), 0)
    into paid, by_hand
    from payments where invoice_id = subject and payment_status = 'succeeded';
  if header.total_paid_amount_cents <> paid then
    raise exception 'invoice %: its payments are %, header says %', subject, paid, header.total_paid_amount_cents
      using errcode = 'check_violation';
  end if;
  if by_hand > 0 and by_hand + header.offset_amount_cents > header.total_amount_cents then
    raise exception 'invoice %: payments by hand exceed what is due', subject using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger invoices_paid after insert on invoices
  deferrable initially deferred for each row when (new.total_paid_amount_cents > 0) execute function tally_check_paid();
create constraint trigger invoices_paid_later after update of total_paid_amount_cents, offset_amount_cents on invoices
  deferrable initially deferred for each row execute function tally_check_paid();
create constraint trigger payments_paid after insert or update on payments
  deferrable initially deferred for each row execute function tally_check_paid();

-- 2. A payment is of its invoice's customer and currency; a regrouped invoice is written after its payment, so this is
--    looked at when all is there.
create function tally_check_payment() returns trigger language plpgsql as $$
begin
  if not exists (
    select from invoices i where i.id = new.invoice_id and i.currency = new.currency
      and i.customer_id = new.customer_id and i.organization_id = new.organization_id
  ) then
    raise exception 'payment %: it is not in the name of its invoice', new.id using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger payments_named after insert on payments
  deferrable initially deferred for each row execute function tally_check_payment();

-- 3. Payments stay: what they are for and how much never changes, and what succeeded stays so.
create function tally_freeze_payment() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.payment_status = 'succeeded' then
    raise exception 'payment %: money that came in cannot be deleted', old.id using errcode = 'check_violation';
  end if;
  if tg_op = 'DELETE' then return old; end if;
  if (new.organization_id, new.customer_id, new.invoice_id, new.payment_type, new.amount_cents, new.currency,
      new.reference, new.created_at)
     is distinct from
     (old.organization_id, old.customer_id, old.invoice_id, old.payment_type, old.amount_cents, old.currency,
      old.reference, old.created_at)
     or (old.payment_status = 'succeeded' and new.payment_status <> 'succeeded') then
    raise exception 'payment %: a payment never changes', old.id using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger payments_frozen before update or delete on payments
  for each row execute function tally_freeze_payment();

-- 4. What a payment request asks for never changes, and it asks one customer for one currency.
create function tally_freeze_payment_request() returns trigger language plpgsql as $$
begin
  if (new.organization_id, new.customer_id, new.amount_cents, new.currency, new.created_at)
     is distinct from (old.organization_id, old.customer_id, old.amount_cents, old.currency, old.created_at) then
    raise exception 'payment request %: what it asks for never changes', old.id using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger payment_requests_frozen before update on payment_requests
  for each row execute function tally_freeze_payment_request();

create function tally_check_requested_invoice() returns trigger language plpgsql as $$
begin
  if not exists (
    select from payment_requests r join invoices i on i.id = new.invoice_id
    where r.id = new.payment_request_id and i.customer_id = r.customer_id and i.currency = r.currency
  ) then
    raise exception 'payment request %: an invoice is not in its name', new.payment_request_id
      using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger payment_request_invoices_named before insert or update on payment_request_invoices
  for each row execute function tally_check_requested_invoice();
