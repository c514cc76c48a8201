-- The projections `periods` and `tallies`: every commitment's timeline by both clocks, and the sums of its changes.

-- A reader that keeps something in memory asks whether the rows are still those of the same build.
alter table checkpoint add column generation bigint not null default 0;

-- What commitments belong to, each combination once, so that rows and changes name it by number. A dictionary: rows stay.
create table membership (
  register text collate "C" not null,
  number integer not null,
  programme text,
  themes text[] not null,
  parties text[] not null,
  -- SHA-256 of the combination: themes can be too long for an index.
  hash bytea not null,
  constraint membership_once primary key (register, number),
  constraint membership_content_once unique (register, hash)
);

-- One row for each change of a commitment's timeline, with the whole timeline from then on. It holds for sizes from
-- known_from to before the next row's. Rows are only ever added.
create table period (
  register text collate "C" not null,
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
  constraint period_once primary key (register, id, known_from)
);

create index period_known_from on period (register, known_from, id);
create index period_first on period (register, id) where is_first;

-- Sums of changes by part of the register (part_of: register, programme, theme or party; part: which, empty for none) and
-- by time, sealed every so many positions: level 0 sums a year, 1 a month (year * 12 + month - 1), 2 keeps the days of a
-- month. A row holds all changes up to the end of its epoch, packed (src/projections/tallies/packing.ts); statuses apart
-- from what slippage and earned schedule need.
create table tally (
  register text collate "C" not null,
  part_of text collate "C" not null,
  part text collate "C" not null,
  level smallint not null,
  bucket integer not null,
  epoch integer not null,
  statuses bytea not null,
  days bytea not null,
  constraint tally_once primary key (register, part_of, part, level, bucket)
);

-- The rows that later epochs have replaced: what past knowledge is answered from.
create table tally_past (
  register text collate "C" not null,
  part_of text collate "C" not null,
  part text collate "C" not null,
  level smallint not null,
  bucket integer not null,
  epoch integer not null,
  statuses bytea not null,
  days bytea not null,
  constraint tally_past_once primary key (register, part_of, part, level, bucket, epoch)
);

-- Packed already: to compress them again costs time and saves little.
alter table tally alter column statuses set storage external, alter column days set storage external;
alter table tally_past alter column statuses set storage external, alter column days set storage external;

-- Which build of the tallies it is, in a row of its own, and the sums of a part (null: of every part of its kind) as they
-- stood when `p_epochs` epochs were sealed: the years before p_year, its months and later ones up to p_last_month, and the months
-- of p_by_day by days instead. A function, so that each connection plans it once: to plan it costs more than to run it.
create function tally_sums(
  p_register text, p_part_of text, p_part text, p_epochs integer, p_year integer, p_last_month integer,
  p_by_day integer[], p_with_days boolean
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
    select (select generation from checkpoint where register = p_register and projection = 'tallies'),
      null::text, null::text, null::smallint, null::integer, null::bytea, null::bytea;
  return query
    select null::bigint, l.part_of, l.part, l.level, l.bucket, v.statuses,
      case when p_with_days then v.days end
    from (
      select * from tally where register = p_register and part_of = p_part_of and part between v_first and v_last
        and level = 0 and bucket < p_year
      union all
      select * from tally where register = p_register and part_of = p_part_of and part between v_first and v_last
        and level = 1 and bucket between p_year * 12 and p_last_month and bucket <> all (p_by_day)
      union all
      select * from tally where register = p_register and part_of = p_part_of and part between v_first and v_last
        and level = 2 and bucket = any (p_by_day)
    ) l
    cross join lateral (
      select l.statuses, l.days where l.epoch < p_epochs
      union all
      (select p.statuses, p.days from tally_past p
      where l.epoch >= p_epochs and p.register = p_register and p.part_of = l.part_of and p.part = l.part
        and p.level = l.level and p.bucket = l.bucket and p.epoch < p_epochs
      order by p.epoch desc limit 1)
    ) v;
end
$$;
