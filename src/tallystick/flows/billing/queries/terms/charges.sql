-- Charges with their metrics and pricing units; which ones is said behind it.
select
  c.id, c.plan_id, c.code, c.charge_model, c.properties, c.pay_in_advance, c.prorated, c.invoiceable,
  c.min_amount_cents, c.invoice_display_name, c.accepts_target_wallet, c.conversion_rate,
  m.id as metric_id, m.code as metric_code, m.name as metric_name, m.aggregation_type, m.field_name, m.recurring,
  m.rounding_function, m.rounding_precision, m.filters as metric_filters,
  u.id as unit_id, u.code as unit_code, u.short_name as unit_short_name
from charges c
join billable_metrics m on m.id = c.billable_metric_id
left join pricing_units u on u.id = c.pricing_unit_id
