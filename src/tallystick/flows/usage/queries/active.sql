-- A customer by its external id, with its active subscription of that external id if there is one.
select c.id as customer_id, s.id as subscription_id
from customers c
left join subscriptions s
  on s.organization_id = c.organization_id and s.external_id = $3 and s.customer_id = c.id and s.status = 'active'
where c.organization_id = $1 and c.external_id = $2 and c.deleted_at is null
