-- Plans with their commitments, of which each has one at most.
select
  p.id, p.parent_id, p.code, p.name, p.interval, p.amount_cents, p.amount_currency, p.pay_in_advance, p.trial_period,
  p.bill_charges_monthly, p.bill_fixed_charges_monthly,
  m.id as commitment_id, m.amount_cents as commitment_cents, m.invoice_display_name as commitment_name
from plans p
left join minimum_commitments m on m.plan_id = p.id
where p.id = any($1::uuid[])
