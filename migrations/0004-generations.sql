-- Rows by generation: a further build of a projection stands beside the one in use, and is switched to at once.

-- Projections can be thrown away: what they hold is built anew from the log, in the new tables.
drop function tally_sums(text, text, text, integer, integer, integer, integer[], boolean);
drop table commitment, period, tally, tally_past, checkpoint;

-- Gives every build of rows its number; a register only ever goes on to a higher one.
create sequence generation_number minvalue 1;

-- How far each version of each projection has read each log. The version is part of the key: while services of two versions
-- run side by side, each keeps up and reads rows of its own.
create table checkpoint (
  register text collate "C" not null,
  projection text collate "C" not null,
  -- The version of the fold that wrote the rows.
  version integer not null,
  -- How far it has read; what readers may ask for.
  size bigint not null,
  -- Which rows are the live ones. What a reader keeps in memory is good as long as this is the same.
  generation bigint not null,
  -- How far rows that nobody reads yet are built, because those of an earlier version reach further; null once they are read.
  building bigint,
  -- The register's time zone as known at that size: facts are dated by it.
  time_zone text,
  -- Set where the fold met an event that it cannot read; the projection stops there and skips nothing.
  stopped_at bigint,
  stopped_because text,
  moved_at timestamptz(3) not null,
  constraint checkpoint_once primary key (register, projection, version)
);

create table commitment (
  register text collate "C" not null,
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

-- The numbers of memberships have no gaps, although several builds may give them out at once: whoever adds some holds the row.
create table membership_count (
  register text collate "C" not null,
  count integer not null,
  constraint membership_count_once primary key (register)
);

insert into membership_count (register, count) select register, count(*) from membership group by register;

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

-- A partition holds one generation: beside the primary key, indexes need not name it.
create index period_known_from on period (register, known_from, id);
create index period_first on period (register, id) where is_first;

-- Sums of changes by part of the register (part_of: register, programme, theme or party; part: which, empty for none) and
-- by time, sealed every so many positions: level 0 sums a year, 1 a month (year * 12 + month - 1), 2 keeps the days of a
-- month. A row holds all changes up to the end of its epoch, packed (src/projections/tallies/packing.ts); statuses apart
-- from what slippage and earned schedule need.
create table tally (
  register text collate "C" not null,
  generation bigint not null,
  part_of text collate "C" not null,
  part text collate "C" not null,
  level smallint not null,
  bucket integer not null,
  epoch integer not null,
  statuses bytea not null,
  days bytea not null,
  constraint tally_once primary key (register, generation, part_of, part, level, bucket)
) partition by list (generation);

-- The rows that later epochs have replaced: what past knowledge is answered from.
create table tally_past (
  register text collate "C" not null,
  generation bigint not null,
  part_of text collate "C" not null,
  part text collate "C" not null,
  level smallint not null,
  bucket integer not null,
  epoch integer not null,
  statuses bytea not null,
  days bytea not null,
  constraint tally_past_once primary key (register, generation, part_of, part, level, bucket, epoch)
) partition by list (generation);

-- Packed already: to compress them again costs time and saves little.
alter table tally alter column statuses set storage external, alter column days set storage external;
alter table tally_past alter column statuses set storage external, alter column days set storage external;

create table commitment_g0 partition of commitment for values in (0);
create table period_g0 partition of period for values in (0);
create table tally_g0 partition of tally for values in (0);
create table tally_past_g0 partition of tally_past for values in (0);

-- Which build of the tallies is live for a version, in a row of its own, and the sums of a part (null: of every part of its
-- kind) in the build that is asked for, as they stood when `p_epochs` epochs were sealed: the years before p_year, its months
-- and later ones up to p_last_month, and the months of p_by_day by days instead. Rows of a build that is not live are not to
-- be used. A function, so that each connection plans it once: to plan it costs more than to run it.
create function tally_sums(
  p_register text, p_version integer, p_generation bigint, p_part_of text, p_part text, p_epochs integer, p_year integer,
  p_last_month integer, p_by_day integer[], p_with_days boolean
) returns table (
  built bigint, part_of text, part text, level smallint, bucket integer, statuses bytea, days bytea
)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_first text := coalesce(p_part, '');
  -- No part is longer than a hundred characters, so none sorts after this.
  v_last text := coalesce(p_part, repeat(chr(1114111), 101));
begin
  return query
    select (select generation from checkpoint
        where register = p_register and projection = 'tallies' and version = p_version),
      null::text, null::text, null::smallint, null::integer, null::bytea, null::bytea;
  return query
    select null::bigint, l.part_of, l.part, l.level, l.bucket, v.statuses,
      case when p_with_days then v.days end
    from (
      select * from tally where register = p_register and generation = p_generation and part_of = p_part_of
        and part between v_first and v_last and level = 0 and bucket < p_year
      union all
      select * from tally where register = p_register and generation = p_generation and part_of = p_part_of
        and part between v_first and v_last and level = 1 and bucket between p_year * 12 and p_last_month
        and bucket <> all (p_by_day)
      union all
      select * from tally where register = p_register and generation = p_generation and part_of = p_part_of
        and part between v_first and v_last and level = 2 and bucket = any (p_by_day)
    ) l
    cross join lateral (
      select l.statuses, l.days where l.epoch < p_epochs
      union all
      (select p.statuses, p.days from tally_past p
      where l.epoch >= p_epochs and p.register = p_register and p.generation = p_generation and p.part_of = l.part_of
        and p.part = l.part and p.level = l.level and p.bucket = l.bucket and p.epoch < p_epochs
      order by p.epoch desc limit 1)
    ) v;
end
$$;
