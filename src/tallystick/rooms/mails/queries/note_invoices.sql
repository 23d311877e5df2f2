-- Mails of issued invoices: when their billing entity sends them and has an address, their customer has one, and they
-- are over something (dunning.md §7.2). Fees that were paid before are not mailed (invoicing.md §13).
insert into mails
  (id, organization_id, document_kind, document_id, resent, status, "to", cc, bcc, created_at, updated_at)
select n.mail_id, i.organization_id, 'invoice', i.id, false, 'waiting',
  regexp_split_to_array(trim(c.email), '\s*,\s*'), '{}', '{}', n.at, n.at
from unnest(cast(:mails as uuid[]), cast(:subjects as uuid[]), cast(:instants as timestamptz[])) as n(mail_id, id, at)
join invoices i on i.id = n.id
join billing_entities e on e.id = i.billing_entity_id
join customers c on c.id = i.customer_id
where 'invoice.finalized' = any(e.email_settings) and e.email <> '' and c.email <> ''
  and i.status = 'finalized' and i.fees_amount_cents > 0 and i.invoice_type <> 'advance_charges'
on conflict do nothing
