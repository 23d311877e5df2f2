-- What the database itself refuses about the credits of invoices (design §4), as money.sql does about their lines.

-- 1. Credits tie to the header: at commit, those of each kind add up to the header's amount of that kind.
create function tally_check_invoice_credits() returns trigger language plpgsql as $$
declare
  subject uuid;
  header record;
begin
  if tg_table_name = 'invoices' then
    subject := new.id;
  elsif tg_op = 'DELETE' then
    subject := old.invoice_id;
  else
    subject := new.invoice_id;
  end if;
  select i.coupons_amount_cents as coupon, i.credit_notes_amount_cents as credit_note,
         i.progressive_billing_credit_amount_cents as invoice,
         coalesce(sum(c.amount_cents) filter (where c.kind = 'coupon'), 0) as coupon_credits,
         coalesce(sum(c.amount_cents) filter (where c.kind = 'credit_note'), 0) as credit_note_credits,
         coalesce(sum(c.amount_cents) filter (where c.kind = 'invoice'), 0) as invoice_credits
    into header
    from invoices i left join invoice_credits c on c.invoice_id = i.id
    where i.id = subject and i.status not in ('generating', 'deleted')
    group by i.id;
  if (header.coupon, header.credit_note, header.invoice)
     is distinct from (header.coupon_credits, header.credit_note_credits, header.invoice_credits) then
    raise exception 'invoice %: its credits do not add up to what its header says', subject
      using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger invoices_credits after insert or update on invoices
  deferrable initially deferred for each row
  when (new.coupons_amount_cents + new.credit_notes_amount_cents + new.progressive_billing_credit_amount_cents > 0)
  execute function tally_check_invoice_credits();
create constraint trigger invoice_credits_total after insert or delete on invoice_credits
  deferrable initially deferred for each row execute function tally_check_invoice_credits();

-- 2. An issued invoice keeps its credits; those of a set are written before its headers.
create function tally_freeze_credit() returns trigger language plpgsql as $$
declare
  subject uuid;
begin
  if tg_op = 'INSERT' then subject := new.invoice_id; else subject := old.invoice_id; end if;
  if tg_op = 'UPDATE' then
    raise exception 'credit %: credits never change', old.id using errcode = 'check_violation';
  end if;
  if exists (select from invoices where id = subject and status in ('finalized', 'voided')) then
    raise exception 'invoice % is issued: its credits are frozen', subject using errcode = 'check_violation';
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$;

create trigger invoice_credits_frozen before insert or update or delete on invoice_credits
  for each row execute function tally_freeze_credit();
