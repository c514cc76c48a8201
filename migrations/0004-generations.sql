-- Rows of projections by generation: a build stands beside the one in use, readers name the one that is live, and sums come in pieces.

-- Projections are made of the log: what there was of them goes, and is built anew.
drop function tally_sums;
drop table commitment, period, tally, tally_past;
delete from checkpoint;

-- Numbers of generations; 0 is there from the beginning.
create sequence generation_number;

create table commitment (
  register text collate "C" not null,
  -- Which build of the rows: checkpoint.generation says which one is live for a register.
  generation bigint not null,
  id text collate "C" not null,
  revision integer not null,
  -- The row answers for every size after last_position and every day from last_on on.
  last_position bigint not null,
  last_on date not null,
  title text not null,
  programme text,
  themes text[] not null,
  parties text[] not null,
  lifecycle text not null,
  verification text not null,
  made_on date not null,
  original_due_on date,
  current_due_on date,
  forecast_on date,
  finished_on date,
  rebaselines integer not null,
  forecast_pushes integer not null,
  -- Both folds, by effective and by first days, from which every answer is derived.
  states json not null,
  redacted bigint[] not null,
  search tsvector not null,
  constraint commitment_once primary key (register, generation, id)
) partition by list (generation);

create index commitment_search on commitment using gin (search);

-- One row for each change of a commitment's timeline, with the whole timeline from then on. It holds for sizes from
-- known_from to before the next row's. Rows are only ever added.
create table period (
  register text collate "C" not null,
  generation bigint not null,
  id text collate "C" not null,
  -- The first size that knows it: the position of the event that changed it, and one.
  known_from bigint not null,
  -- The commitment's first row; through these all commitments are found, those no longer known among them.
  is_first boolean not null,
  -- The stretches in order: first day of each (days since 1970-01-01), its status code, its membership, the position of
  -- the event that began it (null: a due day), and eight numbers a stretch: made, original due, current due, forecast and
  -- finish as days, rebaselines, forecast pushes, flags (1: dates leave it uncertain, 2: in conflict).
  days integer[] not null,
  codes smallint[] not null,
  memberships integer[] not null,
  begun_by bigint[] not null,
  numbers integer[] not null,
  -- What it changed in the tallies, packed (src/projections/periods/changes.ts).
  changes bytea not null,
  constraint period_once primary key (register, generation, id, known_from)
) partition by list (generation);

create index period_known_from on period (register, known_from, id);
create index period_first on period (register, id) where is_first;

-- Sums of changes by part of the register (part_of: register, programme, theme or party; part: which, empty for none) and
-- by time, sealed every so many positions: level 0 sums a year, 1 a month (year * 12 + month - 1), 2 keeps the days of a
-- month. A row is a piece (src/projections/tallies/sealing.ts): what its epoch added, or, where epoch and base are the
-- same, everything up to the end of the epoch; the sums as of an epoch are the pieces from the base of the newest one on.
-- Packed (src/projections/tallies/packing.ts), statuses apart from what slippage and earned schedule need. Rows are only
-- ever added.
create table tally (
  register text collate "C" not null,
  generation bigint not null,
  part_of text collate "C" not null,
  part text collate "C" not null,
  level smallint not null,
  bucket integer not null,
  epoch integer not null,
  base integer not null,
  -- How long the piece at the base is, and those after it up to this one together: when they are as long, a whole is due.
  whole_bytes bigint not null,
  since_bytes bigint not null,
  statuses bytea not null,
  days bytea not null,
  constraint tally_once primary key (register, generation, part_of, part, level, bucket, epoch)
) partition by list (generation);

-- Packed already: to compress them again costs time and saves little.
alter table tally alter column statuses set storage external, alter column days set storage external;

create table commitment_g0 partition of commitment for values in (0);
create table period_g0 partition of period for values in (0);
create table tally_g0 partition of tally for values in (0);

-- The parts of a kind that have sums in a generation, from one to the next along the primary key.
create function tally_parts(p_register text, p_generation bigint, p_part_of text) returns setof text
language sql stable as $$
  with recursive found (part) as (
    (select t.part from tally t where t.register = p_register and t.generation = p_generation and t.part_of = p_part_of
      order by t.part limit 1)
    union all
    select (select t.part from tally t where t.register = p_register and t.generation = p_generation
        and t.part_of = p_part_of and t.part > found.part order by t.part limit 1)
      from found where found.part is not null)
  select part from found where part is not null
$$;

-- Which build of the tallies it is, in a row of its own, and the pieces of a part (null: of every part of its kind) that
-- make its sums as they stood when `p_epochs` epochs were sealed: the years before p_year, its months and later ones up to p_last_month, and the
-- months of p_by_day by days instead. A function, so that each connection plans it once: to plan it costs more than to run it.
create function tally_sums(
  p_register text, p_part_of text, p_part text, p_epochs integer, p_year integer, p_last_month integer,
  p_by_day integer[], p_with_days boolean
) returns table (
  built bigint, part_of text, part text, level smallint, bucket integer, statuses bytea, days bytea
)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_generation bigint := (select generation from checkpoint where register = p_register and projection = 'tallies');
  v_first_year integer;
  v_part text;
begin
  return query select v_generation, null::text, null::text, null::smallint, null::integer, null::bytea, null::bytea;
  for v_part in
    select p_part where p_part is not null
    union all
    select * from tally_parts(p_register, v_generation, p_part_of) where p_part is null
  loop
    select t.bucket into v_first_year from tally t where t.register = p_register and t.generation = v_generation
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
        select epoch, base from tally h where h.register = p_register and h.generation = v_generation
          and h.part_of = p_part_of and h.part = v_part and h.level = w.level and h.bucket = w.bucket and h.epoch < p_epochs
        order by h.epoch desc limit 1
      ) newest
      join tally t on t.register = p_register and t.generation = v_generation and t.part_of = p_part_of
        and t.part = v_part and t.level = w.level and t.bucket = w.bucket and t.epoch between newest.base and newest.epoch;
  end loop;
end
$$;
