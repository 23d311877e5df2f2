-- Filters of charges, from the oldest to the newest.
select id, charge_id, values, properties, invoice_display_name
from charge_filters
where charge_id = any($1::uuid[]) and deleted_at is null
order by created_at, position, id
