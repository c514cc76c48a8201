-- How far projections have read is called what it is: a checkpoint is the signed note of a log, and nothing else. Rows, rights and
-- what depends on the table stay as they are; readers and writers wait for a moment.

alter table checkpoint rename to projection_progress;

-- The primary key with its index; and, where the server names them too, what must not be null.
do $$
declare
  v_name text;
begin
  for v_name in select conname from pg_constraint where conrelid = 'projection_progress'::regclass and conname like 'checkpoint\_%'
  loop
    execute format('alter table projection_progress rename constraint %I to %I', v_name,
      regexp_replace(v_name, '^checkpoint', 'projection_progress'));
  end loop;
end
$$;

-- The only function that names it, as before but for that name.
create or replace function tally_sums(
  p_register text, p_version integer, p_generation bigint, p_part_of text, p_part text, p_epochs integer, p_year integer, p_last_month integer,
  p_by_day integer[], p_with_days boolean
) returns table (
  built bigint, part_of text, part text, level smallint, bucket integer, statuses bytea, days bytea
)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_first_year integer;
  v_part text;
begin
  return query select (select generation from projection_progress
      where register = p_register and projection = 'tallies' and version = p_version), null::text, null::text, null::smallint, null::integer, null::bytea, null::bytea;
  for v_part in
    select p_part where p_part is not null
    union all
    select * from tally_parts(p_register, p_generation, p_part_of) where p_part is null
  loop
    select t.bucket into v_first_year from tally t where t.register = p_register and t.generation = p_generation
      and t.part_of = p_part_of and t.part = v_part and t.level = 0 order by t.bucket limit 1;
    return query
      select null::bigint, p_part_of, v_part, t.level, t.bucket, t.statuses, case when p_with_days then t.days end
      from (
        select 0::smallint as level, generate_series(v_first_year, p_year - 1) as bucket
        union all
        select 1::smallint, month from generate_series(p_year * 12, p_last_month) month where month <> all (p_by_day)
        union all
        select 2::smallint, unnest(p_by_day)
      ) w
      cross join lateral (
        select epoch, base from tally h where h.register = p_register and h.generation = p_generation
          and h.part_of = p_part_of and h.part = v_part and h.level = w.level and h.bucket = w.bucket and h.epoch < p_epochs
        order by h.epoch desc limit 1
      ) newest
      join tally t on t.register = p_register and t.generation = p_generation and t.part_of = p_part_of
        and t.part = v_part and t.level = w.level and t.bucket = w.bucket and t.epoch between newest.base and newest.epoch;
  end loop;
end
$$;
