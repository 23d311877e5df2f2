-- Jobs that no worker takes, whose worker shows no sign of life, or that failed for good.
select
  count(*) filter (
    where j.status = 'todo' and coalesce(j.scheduled_at, deferred.at) < now() - interval '5 minutes'
  ) as waiting,
  count(*) filter (
    where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - interval '2 minutes')
  ) as stuck,
  count(*) filter (where j.status = 'failed') as failed,
  max(j.task_name || ', job ' || j.id) filter (where j.status = 'failed') as example
from procrastinate_jobs j
left join procrastinate_workers w on w.id = j.worker_id
left join lateral (
  select min(e.at) as at from procrastinate_events e where e.job_id = j.id and j.status = 'todo'
) deferred on true
where j.status in ('todo', 'doing', 'failed')
