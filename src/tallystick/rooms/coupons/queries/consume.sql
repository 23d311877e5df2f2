-- applied coupons as invoices left them
update applied_coupons a
set frequency_duration_remaining = u.remaining,
    status = case when u.terminated then 'terminated' else a.status end,
    terminated_at = case when u.terminated then u.used_at else a.terminated_at end,
    updated_at = u.used_at
from unnest(
  cast(:ids as uuid[]), cast(:remaining as integer[]), cast(:terminated as boolean[]), cast(:instants as timestamptz[])
) as u(id, remaining, terminated, used_at)
where a.id = u.id
