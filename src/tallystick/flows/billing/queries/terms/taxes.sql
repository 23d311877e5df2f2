-- Taxes by their owners of all kinds, in the order of attachment.
select l.owner_id, t.id, t.code, t.name, t.rate, t.description
from tax_links l
join taxes t on t.id = l.tax_id
where l.owner_id = any($1::uuid[]) and t.deleted_at is null
order by l.created_at, t.id
