-- Replays under way and how far each has come, so that it goes on after a crash; and sums in pieces, which cost what changed.

create table operation (
  id uuid not null,
  -- What is built anew, and in which register: null for all that there were when it began.
  projections text[] not null,
  register text collate "C",
  generation bigint not null,
  -- Events in a second at most; null for as many as can be.
  max_rate integer,
  drop_previous boolean not null,
  -- running, caughtUp, cancelled or failed.
  state text not null,
  -- Why it failed, and the event that could not be read.
  failed_because text,
  failed_at bigint,
  -- The process that works on it, and when it last said so: one that falls silent gives up its turn.
  owner uuid,
  beat_at timestamptz(3),
  started_at timestamptz(3) not null,
  finished_at timestamptz(3),
  constraint operation_once primary key (id)
);

-- One at a time: two would share the machine, and neither be done sooner.
create unique index operation_running on operation ((true)) where state = 'running';

-- How far an operation has come in a register.
create table replay (
  register text collate "C" not null,
  operation uuid not null,
  -- The log below this size is read in parts, what came later in ordinary steps.
  size bigint not null,
  sealed bigint not null default 0,
  reached bigint not null default 0,
  is_live boolean not null default false,
  -- What was live before: generation and size of each projection, where it had begun.
  previous json,
  constraint replay_once primary key (register, operation)
);

-- A part of a register's streams: those after the last one of the part before it, up to and with up_to. What it has folded is
-- written in the transaction that moves it on.
create table replay_part (
  register text collate "C" not null,
  operation uuid not null,
  part integer not null,
  up_to text collate "C" not null,
  -- The last stream that is folded.
  done text collate "C" not null,
  events bigint not null default 0,
  is_done boolean not null default false,
  constraint replay_part_once primary key (register, operation, part)
);

-- Makes words of the text to search, which COPY brings as it is in a column that goes before readers see the table.
create function commitment_search() returns trigger language plpgsql as $$
begin
  new.search := to_tsvector('simple', new.search_text);
  new.search_text := null;
  return new;
end
$$;

-- A sum that was written whole whenever an epoch touched it cost its length: at a million events five times what it cost at a
-- hundred thousand. Tallies can be thrown away, and are built anew.
drop function tally_sums(text, integer, bigint, text, text, integer, integer, integer, integer[], boolean);
drop table tally, tally_past;
delete from checkpoint where projection = 'tallies';

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

-- Which build of the tallies is live for a version, in a row of its own, and the pieces of a part (null: of every part of its
-- kind) in the build that is asked for that make its sums as they stood when `p_epochs` epochs were sealed: the years before p_year, its months and later ones up to p_last_month, and the
-- months of p_by_day by days instead. A function, so that each connection plans it once: to plan it costs more than to run it.
create function tally_sums(
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
  return query select (select generation from checkpoint
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
