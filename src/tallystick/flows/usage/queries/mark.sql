-- Agenda entries for the active ones of these subscriptions that have usage thresholds, or alerts if these count.
with marked as (
  insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
  select :kind, s.id, s.organization_id, m.at, cast(:rank as smallint), 0
  from unnest(cast(:ids as uuid[]), cast(:instants as timestamptz[])) as m(id, at)
  join subscriptions s on s.id = m.id
  join plans p on p.id = s.plan_id
  where s.status = 'active'
    and (
      exists (
        select from usage_thresholds t
        where t.deleted_at is null and (t.plan_id in (s.plan_id, p.parent_id) or t.subscription_id = s.id)
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
