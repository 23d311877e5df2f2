-- Mails of issued credit notes: when the billing entity of their invoice sends them and has an address, and their
-- customer has one (dunning.md §7.1, §7.2).
insert into mails
  (id, organization_id, document_kind, document_id, resent, status, "to", cc, bcc, created_at, updated_at)
select n.mail_id, i.organization_id, 'credit_note', d.id, false, 'waiting',
  regexp_split_to_array(trim(c.email), '\s*,\s*'), '{}', '{}', n.at, n.at
from unnest(cast(:mails as uuid[]), cast(:subjects as uuid[]), cast(:instants as timestamptz[])) as n(mail_id, id, at)
join credit_notes d on d.id = n.id
join invoices i on i.id = d.invoice_id
join billing_entities e on e.id = i.billing_entity_id
join customers c on c.id = d.customer_id
where 'credit_note.created' = any(e.email_settings) and e.email <> '' and c.email <> '' and d.status = 'finalized'
on conflict do nothing
