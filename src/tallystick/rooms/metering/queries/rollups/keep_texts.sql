-- Keeps the last operations of texts.
, kept as (
    insert into rollup_texts as t (rollup_id, key, there, last_at, last_created_at, last_id)
    select rollup_id, key, there, last_at, last_created_at, last_id from changed where is_last
    on conflict (rollup_id, key) do update
    set
        there = excluded.there,
        last_at = excluded.last_at,
        last_created_at = excluded.last_created_at,
        last_id = excluded.last_id
)
