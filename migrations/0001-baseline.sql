-- The schema at 0013 in one file: before a first release nobody needs the thirteen steps (0001 to 0013) that led to it. A database
-- at the last of them has this schema already: `pledger migrate` then only notes this file as applied (src/database/migrate.ts).

-- The log: registers, their events, and the only function that appends. The database itself refuses to change an event, but for
-- one change: its content can be erased.

create table register (
  register text collate "C" not null,
  -- How many events the register holds: the next position. The row is the lock that makes commit order position order.
  size bigint not null default 0,
  last_recorded_at timestamptz(3),
  -- The revision of the stream $register: admission depends on what it defines.
  own_revision integer not null default 0,
  -- How often content was erased: every answer may lose by it, at any size and day.
  redactions bigint not null default 0,
  constraint register_once primary key (register)
);

create table event (
  register text collate "C" not null,
  position bigint not null,
  id uuid not null,
  stream text collate "C" not null,
  revision integer not null,
  type text collate "C" not null,
  type_version smallint not null,
  recorded_at timestamptz(3) not null,
  recorded_by text not null,
  -- The body: null once redacted.
  occurred_on text,
  data json,
  citations json,
  salt bytea,
  -- SHA-256(salt || RFC 8785 text of {occurredOn, data, citations}).
  body_hash bytea not null,
  -- The Merkle leaf, stored as written: RFC 8785 text of the envelope.
  leaf bytea not null,
  constraint event_position_once primary key (register, position),
  constraint event_id_once unique (register, id),
  constraint event_revision_once unique (register, stream, revision)
);

-- Every answer says which of its events were erased: those few are found without reading the log.
create index event_erased on event (register, position) where salt is null;

-- A register that is new costs the same as an old one: no statistics are kept of which registers there are. Of a register that
-- statistics do not know yet they say that it has next to no rows. Any index that begins with the register then seems as good as
-- another, and each lookup reads all of the register. Without statistics, every register is taken to have a share of the table.
alter table event alter column register set statistics 0;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are never changed: % of % refused', lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;

-- What a repair points to stays when the rest of it is erased: its effect on other events is no content of its own.
create function blank_data(p_type text, p_data json) returns json language sql immutable as $$
  select case when p_type in ('EventRetracted', 'EventCorrected') then ('{"event":"' || (p_data ->> 'event') || '"}')::json end
$$;

create function refuse_all_but_blanking() returns trigger language plpgsql as $$
begin
  if (new.register, new.position, new.id, new.stream, new.revision, new.type, new.type_version, new.recorded_at,
      new.recorded_by, new.body_hash, new.leaf)
    is not distinct from (old.register, old.position, old.id, old.stream, old.revision, old.type, old.type_version,
      old.recorded_at, old.recorded_by, old.body_hash, old.leaf)
    and new.occurred_on is null and new.citations is null and new.salt is null
    and new.data::text is not distinct from blank_data(old.type, old.data)::text
    and old.type not in ('RegisterOpened', 'EventRedacted')
    -- It was announced in the log: of the event itself, or of the fact that it corrects.
    and exists (select from event e where e.register = old.register and e.stream = old.stream and e.type = 'EventRedacted'
      and e.position > old.position and (e.data ->> 'event' = old.id::text
        or (old.type = 'EventCorrected' and e.data ->> 'event' = old.data ->> 'event')))
  then
    return new;
  end if;
  raise exception 'events are never changed: update of event refused' using errcode = 'restrict_violation';
end
$$;

create trigger event_append_only before delete or truncate on event for each statement execute function refuse_change();
create trigger event_only_blanked before update on event for each row execute function refuse_all_but_blanking();
-- Also where session_replication_role switches ordinary triggers off.
alter table event enable always trigger event_append_only;
alter table event enable always trigger event_only_blanked;

-- Without its row a register's events could not be found, nor the next position be given out.
create trigger register_stays before delete or truncate on register
  for each statement execute function refuse_change();
alter table register enable always trigger register_stays;

-- Appends a batch under the register's row, which is held to the commit: no reader ever sees a gap. Items with the same
-- group number are recorded together or not at all; a failed group leaves the others alone. p_expected is the stream's
-- revision before the item, as admission saw it, earlier items of the batch counted.
-- One row, in it an outcome for each item: 'appended' (position, revision), 'duplicate' (position of the event with that
-- id), 'conflict' (revision: the actual one) or 'skipped' (another item of its group failed). No row where there is no such
-- register.
create function append_events(
  p_register text, p_open boolean, p_recorded_at timestamptz, p_own_revision integer, p_streams text[],
  p_group integer[], p_stream integer[], p_expected integer[], p_id uuid[], p_type text[], p_type_version integer[],
  p_recorded_by text[], p_occurred_on text[], p_data text[], p_citations text[], p_salt text[], p_body_hash text[]
) returns table (outcomes text[], positions bigint[], revisions integer[], recorded_ms bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  v_register register%rowtype;
  v_at timestamptz(3);
  v_at_text text;
  v_next bigint;
  v_count integer := cardinality(p_id);
  v_revisions integer[];
  -- Streams that are not as admission saw them: what was admitted upon an item that failed fails with it, though the
  -- number of its revision may fit by chance.
  v_stale boolean[] := array_fill(false, array[cardinality(p_streams)]);
  v_existing bigint[];
  v_outcome text[] := array_fill(null::text, array[v_count]);
  v_position bigint[] := array_fill(null::bigint, array[v_count]);
  v_revision integer[] := array_fill(null::integer, array[v_count]);
  v_first integer := 1;
  v_last integer;
  v_whole boolean;
  s integer;
begin
  if p_open then
    insert into register (register) values (p_register) on conflict do nothing;
  end if;
  select * into v_register from register r where r.register = p_register for update;
  if not found then
    return;
  end if;
  v_at := greatest(p_recorded_at, v_register.last_recorded_at);
  v_next := v_register.size;

  -- Planned anew each time: a connection keeps the plans of a function, and one made while the log was short reads all of
  -- the register for each event of a long one.
  execute 'select array(select coalesce((select e.revision from event e where e.register = $1 and e.stream = n.stream
      order by e.revision desc limit 1), 0) from unnest($2) with ordinality n (stream, ordinality) order by n.ordinality)'
    into v_revisions using p_register, p_streams;
  execute 'select array(select (select e.position from event e where e.register = $1 and e.id = n.id)
      from unnest($2) with ordinality n (id, ordinality) order by n.ordinality)'
    into v_existing using p_register, p_id;

  while v_first <= v_count loop
    v_last := v_first;
    v_whole := true;
    while v_last <= v_count and p_group[v_last] = p_group[v_first] loop
      s := p_stream[v_last];
      if v_existing[v_last] is not null then
        v_outcome[v_last] := 'duplicate';
        v_position[v_last] := v_existing[v_last];
        v_stale[s] := true;
        v_whole := false;
      elsif v_stale[s] or v_revisions[s] <> p_expected[v_last] or v_register.own_revision <> p_own_revision then
        v_outcome[v_last] := 'conflict';
        v_revision[v_last] := v_revisions[s];
        v_stale[s] := true;
        v_whole := false;
      else
        v_outcome[v_last] := 'appended';
        v_revisions[s] := v_revisions[s] + 1;
        v_revision[v_last] := v_revisions[s];
        v_position[v_last] := v_next;
        v_next := v_next + 1;
      end if;
      v_last := v_last + 1;
    end loop;
    if not v_whole then
      for i in v_first .. v_last - 1 loop
        if v_outcome[i] = 'appended' then
          if p_streams[p_stream[i]] = '$register' then
            -- What comes after it was admitted with its definitions.
            v_register.own_revision := -1;
          end if;
          v_revisions[p_stream[i]] := v_revisions[p_stream[i]] - 1;
          v_next := v_next - 1;
          v_outcome[i] := 'skipped';
          v_position[i] := null;
          v_revision[i] := null;
        end if;
      end loop;
    end if;
    v_first := v_last;
  end loop;

  if v_next > v_register.size then
    v_at_text := to_char(v_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
    insert into event (register, position, id, stream, revision, type, type_version, recorded_at, recorded_by,
      occurred_on, data, citations, salt, body_hash, leaf)
    select p_register, n.position, n.id, p_streams[n.stream], n.revision, n.type, n.type_version, v_at, n.recorded_by,
      n.occurred_on, n.data::json, n.citations::json, decode(n.salt, 'base64'), decode(n.body_hash, 'base64'),
      convert_to('{"bodyHash":"' || n.body_hash || '","id":"' || n.id || '","position":' || n.position
        || ',"recordedAt":"' || v_at_text || '","recordedBy":"' || n.recorded_by || '","register":"' || p_register
        || '","revision":' || n.revision || ',"stream":"' || p_streams[n.stream] || '","type":"' || n.type
        || '","typeVersion":' || n.type_version || ',"v":1}', 'UTF8')
    from unnest(v_outcome, v_position, v_revision, p_stream, p_id, p_type, p_type_version, p_recorded_by,
        p_occurred_on, p_data, p_citations, p_salt, p_body_hash)
      n (outcome, position, revision, stream, id, type, type_version, recorded_by, occurred_on, data, citations, salt, body_hash)
    where n.outcome = 'appended';
    update register r set size = v_next, last_recorded_at = v_at,
      own_revision = coalesce(v_revisions[array_position(p_streams, '$register')], r.own_revision)
    where r.register = p_register;
  end if;

  outcomes := v_outcome;
  positions := v_position;
  revisions := v_revision;
  recorded_ms := round(extract(epoch from v_at) * 1000);
  return next;
end
$$;

-- Erases the content of an event and of its corrections, once an EventRedacted that names it has been appended in the same
-- transaction, and counts the redaction. Returns the positions that are blank by it.
create function redact_event(p_register text, p_id uuid) returns bigint[] language plpgsql as $$
declare
  v_positions bigint[];
begin
  with erased as (
    update event e set occurred_on = null, data = blank_data(e.type, e.data), citations = null, salt = null
    where e.register = p_register and e.salt is not null
      and e.stream = (select t.stream from event t where t.register = p_register and t.id = p_id)
      and (e.id = p_id or (e.type = 'EventCorrected' and e.data ->> 'event' = p_id::text))
    returning e.position
  )
  select array_agg(position order by position) into v_positions from erased;
  update register r set redactions = r.redactions + 1 where r.register = p_register;
  return coalesce(v_positions, '{}');
end
$$;

-- The largest size whose last event was not recorded after the instant. recorded_at never decreases with position, so
-- halving the log finds it without an index of its own.
create function size_at(p_register text, p_instant timestamptz) returns bigint language plpgsql stable as $$
declare
  v_low bigint := 0;
  v_high bigint;
  v_middle bigint;
begin
  select r.size into v_high from register r where r.register = p_register;
  while v_low < v_high loop
    v_middle := (v_low + v_high) / 2;
    if (select e.recorded_at from event e where e.register = p_register and e.position = v_middle) <= p_instant then
      v_low := v_middle + 1;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_low;
end
$$;

-- What was recorded under an idempotency key is kept, so that a recording that is sent again gets the same answer.

create table idempotency_key (
  register text collate "C" not null,
  recorded_by text collate "C" not null,
  key text collate "C" not null,
  -- SHA-256 of what came with it: the same key with something else is refused.
  fingerprint bytea not null,
  -- What became of each event, as the recorder tells it.
  outcomes json not null,
  kept_at timestamptz(3) not null,
  constraint idempotency_key_once primary key (register, recorded_by, key)
);

create index idempotency_key_kept_at on idempotency_key (register, kept_at);

-- The projections. Their rows are built from the log, and stand by generation: a further build of a projection is written beside
-- the one in use, and readers switch to it at once.

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

-- The projection `commitments`: the newest state of each commitment.
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

-- The numbers of memberships have no gaps, although several builds may give them out at once: whoever adds some holds the row.
create table membership_count (
  register text collate "C" not null,
  count integer not null,
  constraint membership_count_once primary key (register)
);

-- The projection `periods`: every commitment's timeline by both clocks.
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

-- The projection `tallies`.
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

-- As of event.
alter table commitment_g0 alter column register set statistics 0;
alter table period_g0 alter column register set statistics 0;
alter table tally_g0 alter column register set statistics 0;

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
-- kind) in the build that is asked for. The pieces make the sums as they stood when `p_epochs` epochs were sealed: the years
-- before p_year, its months and later ones up to p_last_month, and the months of p_by_day by days instead. A function, so that
-- each connection plans it once: to plan it costs more than to run it.
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

-- Replays under way and how far each has come, so that it goes on after a crash.

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

-- The Merkle tree over the leaves of each register, cut into tiles, and the checkpoints that are signed over it. What has been
-- published stays: tiles only grow, checkpoints never change.

create table tree (
  register text collate "C" not null,
  -- The first line of every checkpoint of the register; fixed with the first.
  origin text not null,
  -- How many leaves the tiles hold: those of the newest checkpoint. The row is the lock under which one sealer works.
  size bigint not null default 0,
  signed_at timestamptz(3),
  -- Why the sealer will not sign; null while it does.
  refused_because text,
  constraint tree_once primary key (register)
);

create table tile (
  register text collate "C" not null,
  -- 0: hashes of leaves; above, hashes of the full tiles below.
  level smallint not null,
  index bigint not null,
  -- Up to 256 hashes of 32 bytes, from left to right.
  hashes bytea not null,
  constraint tile_once primary key (register, level, index),
  constraint tile_of_hashes check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0)
);
-- Hashes cannot be compressed.
alter table tile alter column hashes set storage external;

create table signed_checkpoint (
  register text collate "C" not null,
  size bigint not null,
  root bytea not null,
  -- C2SP signed note.
  note text not null,
  signed_at timestamptz(3) not null,
  constraint signed_checkpoint_once primary key (register, size)
);

create table signing_key (
  register text collate "C" not null,
  vkey text not null,
  from_size bigint not null,
  -- The last size it signed; null while it signs.
  to_size bigint,
  -- A key that comes back signs another range of sizes.
  constraint signing_key_once primary key (register, vkey, from_size)
);

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
  raise exception 'what is published stays: % of % refused', lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;

create function refuse_shrinking() returns trigger language plpgsql as $$
begin
  if new.register <> old.register or new.level <> old.level or new.index <> old.index
    or substring(new.hashes for octet_length(old.hashes)) <> old.hashes then
    raise exception 'a tile only grows: update of tile refused' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;

create trigger tile_grows before update on tile for each row execute function refuse_shrinking();
create trigger tile_stays before delete or truncate on tile for each statement execute function refuse_rewriting();
create trigger signed_checkpoint_stays before update or delete or truncate on signed_checkpoint
  for each statement execute function refuse_rewriting();
create trigger signing_key_stays before delete or truncate on signing_key
  for each statement execute function refuse_rewriting();
create trigger tree_stays before delete or truncate on tree for each statement execute function refuse_rewriting();
-- Also where session_replication_role switches ordinary triggers off.
alter table tile enable always trigger tile_grows;
alter table tile enable always trigger tile_stays;
alter table signed_checkpoint enable always trigger signed_checkpoint_stays;
alter table signing_key enable always trigger signing_key_stays;
alter table tree enable always trigger tree_stays;

-- Who may read and write what. Secrets are not here: of a token only its hash, of a person nothing that is needed elsewhere.

create table token (
  id text collate "C" not null,
  -- SHA-256 of the token.
  hash bytea not null,
  -- [{role, register}]; register '*' for all.
  grants jsonb not null,
  created_at timestamptz(3) not null,
  -- null: never.
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  -- To about a minute.
  last_used_at timestamptz(3),
  constraint token_once primary key (id),
  constraint token_hash_once unique (hash)
);

-- Names for the ids in recorded_by. They can be erased; the log never holds them.
create table principal (
  id text collate "C" not null,
  name text not null,
  constraint principal_once primary key (id)
);

-- The registers that everyone may read.
create table public_register (
  register text collate "C" not null,
  since timestamptz(3) not null,
  constraint public_register_once primary key (register)
);

-- Who read what, where that is to be kept.
create table read_record (
  register text collate "C" not null,
  read_at timestamptz(3) not null,
  number bigint not null generated always as identity,
  -- null: somebody without credentials, of a register that is open to everyone.
  caller text collate "C",
  method text not null,
  -- The resource, as the description of the API names it, and the path and query that were asked for.
  route text not null,
  address text not null,
  constraint read_record_once primary key (register, read_at, number)
);
create trigger read_record_stays before update or delete or truncate on read_record
  for each statement execute function refuse_rewriting();
alter table read_record enable always trigger read_record_stays;

-- Roles: whoever runs the service need not own the schema, nor hold any right to change what is recorded. What takes more than a
-- right to rows is done by these functions, with the rights of the owner.

-- Holds the row of a register to the end of the transaction, so that nobody else appends; its size, null where there is none.
create function lock_register(p_register text) returns bigint language sql as $$
  select size from register where register = p_register for update
$$;

-- The name of a projection's table of one generation, which is all that the functions below touch.
create function partition_of(p_table text, p_generation bigint) returns text language plpgsql stable as $$
begin
  if pg_get_partkeydef(to_regclass(quote_ident(p_table))) is distinct from 'LIST (generation)' then
    raise exception 'no table of a projection: %', p_table using errcode = 'insufficient_privilege';
  end if;
  return p_table || '_g' || p_generation;
end
$$;

-- An empty table of a generation, not attached and without indexes. Roles that have rights to the rows of the projection get the
-- same rights to it. (What migration 0007 did, which the body names, stands here at table event.)
create function create_partition(p_table text, p_generation bigint) returns void language plpgsql as $$
declare
  v_name text := partition_of(p_table, p_generation);
  v_grantee text;
  v_right text;
begin
  -- The check spares attaching a look at every row.
  execute format('create table %I (like %I including defaults including storage,
    constraint of_generation check (generation = %s))', v_name, p_table, p_generation);
  -- As in migration 0007.
  execute format('alter table %I alter column register set statistics 0', v_name);
  for v_grantee, v_right in
    select grantee::regrole::text, privilege_type from pg_class, aclexplode(relacl)
      where pg_class.oid = to_regclass(quote_ident(p_table)) and grantee <> relowner and grantee <> 0
  loop
    execute format('grant %s on %I to %s', v_right, v_name, v_grantee);
  end loop;
end
$$;

-- Builds every key and index that the table has and its new partition lacks, and attaches it.
create function attach_partition(p_table text, p_generation bigint) returns void language plpgsql as $$
declare
  v_name text := partition_of(p_table, p_generation);
begin
  execute format('alter table %I attach partition %I for values in (%s)', p_table, v_name, p_generation);
  execute format('alter table %I drop constraint if exists of_generation', v_name);
  execute format('analyze %I', v_name);
end
$$;

create function drop_partition(p_table text, p_generation bigint) returns void language plpgsql as $$
begin
  execute format('drop table if exists %I', partition_of(p_table, p_generation));
end
$$;

-- Builds one of the indexes that the partitions of a table have.
create function index_partition(p_table text, p_generation bigint, p_index text) returns void
language plpgsql set maintenance_work_mem = '256MB' as $$
declare
  v_name text := partition_of(p_table, p_generation);
  v_definition text;
begin
  select pg_get_indexdef(indexrelid) into strict v_definition from pg_index join pg_class on pg_class.oid = indexrelid
    where indrelid = to_regclass(quote_ident(p_table)) and relname = p_index;
  execute regexp_replace(v_definition, ' INDEX \S+ ON (ONLY )?\S+',
    format(' INDEX IF NOT EXISTS %I ON %I', v_name || '_' || p_index, v_name));
end
$$;

-- Makes an index that was built so the primary key: what attaching looks for.
create function adopt_primary_key(p_table text, p_generation bigint, p_index text) returns void language plpgsql as $$
declare
  v_name text := partition_of(p_table, p_generation);
begin
  execute format('alter table %I add constraint %I primary key using index %2$I', v_name, v_name || '_' || p_index);
end
$$;

-- Lets a new table of commitments take text to search, of which it makes words itself.
create function begin_filling(p_generation bigint) returns void language plpgsql as $$
declare
  v_name text := partition_of('commitment', p_generation);
begin
  execute format('alter table %I add column search_text text', v_name);
  execute format('create trigger search_words before insert on %I for each row execute function commitment_search()', v_name);
end
$$;

create function end_filling(p_generation bigint) returns void language plpgsql as $$
declare
  v_name text := partition_of('commitment', p_generation);
begin
  execute format('drop trigger if exists search_words on %I', v_name);
  execute format('alter table %I drop column search_text', v_name);
end
$$;

-- With the rights of the owner run only what whoever calls them may call, and they find names where the owner alone may create.
do $$
declare
  v_function regprocedure;
  v_schema text := current_schema();
begin
  for v_function in
    select oid::regprocedure from pg_proc where pronamespace = v_schema::regnamespace
      and proname in ('append_events', 'redact_event', 'lock_register', 'create_partition', 'attach_partition', 'drop_partition',
        'index_partition', 'adopt_primary_key', 'begin_filling', 'end_filling')
  loop
    execute format('alter function %s security definer', v_function);
    execute format('revoke all on function %s from public', v_function);
    execute format('alter function %s set search_path = %I, pg_temp', v_function, v_schema);
  end loop;
  for v_function in
    select oid::regprocedure from pg_proc where pronamespace = v_schema::regnamespace
      and proname in ('refuse_change', 'refuse_all_but_blanking', 'refuse_rewriting', 'refuse_shrinking')
  loop
    execute format('alter function %s set search_path = %I, pg_temp', v_function, v_schema);
  end loop;
end
$$;
