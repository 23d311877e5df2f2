-- What the database itself refuses about prepaid credits (design §4).
--
-- An inbound transaction has left what its links did not take, an outbound one is its links, and a balance is what its
-- inbound ones have left: so a balance is the sum of its transactions, told by few rows of a long history.

-- 1. A wallet's balance is what its top-ups have left, at commit.
create function tally_check_wallet_balance() returns trigger language plpgsql as $$
declare
  subject uuid;
  balance bigint;
  remaining bigint;
begin
  if tg_table_name = 'wallets' then subject := new.id; else subject := new.wallet_id; end if;
  select balance_cents into balance from wallets where id = subject;
  select coalesce(sum(remaining_amount_cents), 0) into remaining
    from wallet_transactions where wallet_id = subject and remaining_amount_cents > 0;
  if balance <> remaining then
    raise exception 'wallet %: a balance of %, but its top-ups have % left', subject, balance, remaining
      using errcode = 'check_violation';
  end if;
  return null;
end $$;

create constraint trigger wallets_balance after update of balance_cents on wallets
  deferrable initially deferred for each row execute function tally_check_wallet_balance();
create constraint trigger wallet_transactions_balance after insert or update of remaining_amount_cents, status
  on wallet_transactions deferrable initially deferred for each row execute function tally_check_wallet_balance();
create constraint trigger wallets_new after insert on wallets
  deferrable initially deferred for each row when (new.balance_cents <> 0) execute function tally_check_wallet_balance();

-- 2. Its links say where each transaction's amount came from or went, at commit.
create function tally_check_wallet_movement(subject uuid) returns void language plpgsql as $$
declare
  movement record;
  linked bigint;
begin
  select transaction_type, amount_cents, remaining_amount_cents into movement
    from wallet_transactions where id = subject;
  if movement.transaction_type = 'inbound' then
    select coalesce(sum(amount_cents), 0) into linked from wallet_consumptions where inbound_id = subject;
    if movement.amount_cents - coalesce(movement.remaining_amount_cents, movement.amount_cents) <> linked then
      raise exception 'wallet transaction %: % of % left, but % were spent', subject, movement.remaining_amount_cents,
        movement.amount_cents, linked using errcode = 'check_violation';
    end if;
  else
    select coalesce(sum(amount_cents), 0) into linked from wallet_consumptions where outbound_id = subject;
    if movement.amount_cents <> linked then
      raise exception 'wallet transaction %: an amount of %, funded by %', subject, movement.amount_cents, linked
        using errcode = 'check_violation';
    end if;
  end if;
end $$;

create function tally_check_wallet_links() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'wallet_transactions' then
    perform tally_check_wallet_movement(new.id);
  else
    perform tally_check_wallet_movement(new.inbound_id);
    perform tally_check_wallet_movement(new.outbound_id);
  end if;
  return null;
end $$;

create constraint trigger wallet_transactions_links after insert or update of remaining_amount_cents
  on wallet_transactions deferrable initially deferred for each row execute function tally_check_wallet_links();
create constraint trigger wallet_consumptions_links after insert on wallet_consumptions
  deferrable initially deferred for each row execute function tally_check_wallet_links();

-- 3. Links never change, and stay within a wallet.
create function tally_freeze_wallet_link() returns trigger language plpgsql as $$
begin
  raise exception 'wallet consumption %: what was funded never changes', old.id using errcode = 'check_violation';
end $$;

create trigger wallet_consumptions_frozen before update or delete on wallet_consumptions
  for each row execute function tally_freeze_wallet_link();

create function tally_check_new_wallet_links() returns trigger language plpgsql as $$
begin
  if exists (
    select from new_rows n
    join wallet_transactions i on i.id = n.inbound_id
    join wallet_transactions o on o.id = n.outbound_id
    where i.transaction_type <> 'inbound' or o.transaction_type <> 'outbound' or i.wallet_id <> o.wallet_id
  ) then
    raise exception 'a wallet transaction is funded by a top-up of the same wallet' using errcode = 'check_violation';
  end if;
  return null;
end $$;

create trigger wallet_consumptions_new after insert on wallet_consumptions referencing new table as new_rows
  for each statement execute function tally_check_new_wallet_links();

-- 4. A transaction keeps what it is; only a purchase changes its status, and never back from settled.
create function tally_freeze_wallet_transaction() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'wallet transaction %: it cannot be deleted', old.id using errcode = 'check_violation';
  end if;
  if (new.wallet_id, new.transaction_type, new.transaction_status, new.amount_cents, new.credit_amount)
     is distinct from
     (old.wallet_id, old.transaction_type, old.transaction_status, old.amount_cents, old.credit_amount)
     or (old.status = 'settled' and new.status <> 'settled') then
    raise exception 'wallet transaction %: it is what it is', old.id using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger wallet_transactions_frozen before update or delete on wallet_transactions
  for each row execute function tally_freeze_wallet_transaction();

create function tally_freeze_wallet() returns trigger language plpgsql as $$
begin
  raise exception 'wallet %: rate, currency and owner never change', old.id using errcode = 'check_violation';
end $$;

create trigger wallets_frozen before update on wallets
  for each row when (
    (old.organization_id, old.customer_id, old.currency, old.rate_amount)
    is distinct from (new.organization_id, new.customer_id, new.currency, new.rate_amount)
    or (old.status = 'terminated' and new.status <> 'terminated'))
  execute function tally_freeze_wallet();
