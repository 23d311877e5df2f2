-- Agenda entries for the active ones of these subscriptions that have usage thresholds, or alerts if these count.
with marked as (
  insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
  select :kind, s.id, s.organization_id, cast(:at as timestamptz), cast(:rank as smallint), 0
  from subscriptions s
  join plans p on p.id = s.plan_id
  where s.id = any(cast(:ids as uuid[])) and s.status = 'active'
    and (
      exists (
        select from usage_thresholds t
        where t.deleted_at is null
          and (t.subscription_id = s.id or t.plan_id = s.plan_id or t.plan_id = p.parent_id)
      )
      or (
        cast(:alerts as boolean) and exists (
          select from alerts a
          where a.organization_id = s.organization_id and a.external_subscription_id = s.external_id
            and a.deleted_at is null
        )
      )
    )
  order by s.id
  on conflict (kind, subject_id) do update set due_at = excluded.due_at, attempts = 0, error = null, failed_at = null
  returning 1
)
select pg_notify('tallystick_agenda', '') from marked limit 1
