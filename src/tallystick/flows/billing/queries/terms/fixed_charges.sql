-- Live fixed charges of plans.
select id, plan_id, parent_id, code, add_on_id, charge_model, properties, pay_in_advance, prorated, units
from fixed_charges
where plan_id = any($1::uuid[]) and deleted_at is null
order by created_at, id
