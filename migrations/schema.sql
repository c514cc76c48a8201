-- Generated from migrations/ by `npm run generate`; do not edit.

create sequence generation_number;

create sequence read_record_number_seq;

create table commitment (
  register text collate "C" not null,
  generation bigint not null,
  id text collate "C" not null,
  revision integer not null,
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
  states json not null,
  redacted bigint[] not null,
  search tsvector not null,
  constraint commitment_once PRIMARY KEY (register, generation, id)
) partition by LIST (generation);

create table event (
  register text collate "C" not null,
  "position" bigint not null,
  id uuid not null,
  stream text collate "C" not null,
  revision integer not null,
  type text collate "C" not null,
  type_version smallint not null,
  recorded_at timestamp(3) with time zone not null,
  recorded_by text not null,
  occurred_on text,
  data json,
  citations json,
  salt bytea,
  body_hash bytea not null,
  leaf bytea not null,
  constraint event_id_once UNIQUE (register, id),
  constraint event_position_once PRIMARY KEY (register, "position"),
  constraint event_revision_once UNIQUE (register, stream, revision)
);

create table idempotency_key (
  register text collate "C" not null,
  recorded_by text collate "C" not null,
  key text collate "C" not null,
  fingerprint bytea not null,
  outcomes json not null,
  kept_at timestamp(3) with time zone not null,
  constraint idempotency_key_once PRIMARY KEY (register, recorded_by, key)
);

create table membership (
  register text collate "C" not null,
  number integer not null,
  programme text,
  themes text[] not null,
  parties text[] not null,
  hash bytea not null,
  constraint membership_content_once UNIQUE (register, hash),
  constraint membership_once PRIMARY KEY (register, number)
);

create table membership_count (
  register text collate "C" not null,
  count integer not null,
  constraint membership_count_once PRIMARY KEY (register)
);

create table operation (
  id uuid not null,
  projections text[] not null,
  register text collate "C",
  generation bigint not null,
  max_rate integer,
  drop_previous boolean not null,
  state text not null,
  failed_because text,
  failed_at bigint,
  owner uuid,
  beat_at timestamp(3) with time zone,
  started_at timestamp(3) with time zone not null,
  finished_at timestamp(3) with time zone,
  constraint operation_once PRIMARY KEY (id)
);

create table period (
  register text collate "C" not null,
  generation bigint not null,
  id text collate "C" not null,
  known_from bigint not null,
  is_first boolean not null,
  days integer[] not null,
  codes smallint[] not null,
  memberships integer[] not null,
  begun_by bigint[] not null,
  numbers integer[] not null,
  changes bytea not null,
  constraint period_once PRIMARY KEY (register, generation, id, known_from)
) partition by LIST (generation);

create table principal (
  id text collate "C" not null,
  name text not null,
  constraint principal_once PRIMARY KEY (id)
);

create table projection_progress (
  register text collate "C" not null,
  projection text collate "C" not null,
  version integer not null,
  size bigint not null,
  generation bigint not null,
  building bigint,
  time_zone text,
  stopped_at bigint,
  stopped_because text,
  moved_at timestamp(3) with time zone not null,
  constraint projection_progress_once PRIMARY KEY (register, projection, version)
);

create table public_register (
  register text collate "C" not null,
  since timestamp(3) with time zone not null,
  constraint public_register_once PRIMARY KEY (register)
);

create table read_record (
  register text collate "C" not null,
  read_at timestamp(3) with time zone not null,
  number bigint not null,
  caller text collate "C",
  method text not null,
  route text not null,
  address text not null,
  constraint read_record_once PRIMARY KEY (register, read_at, number)
);

create table register (
  register text collate "C" not null,
  size bigint default 0 not null,
  last_recorded_at timestamp(3) with time zone,
  own_revision integer default 0 not null,
  redactions bigint default 0 not null,
  constraint register_once PRIMARY KEY (register)
);

create table replay (
  register text collate "C" not null,
  operation uuid not null,
  size bigint not null,
  sealed bigint default 0 not null,
  reached bigint default 0 not null,
  is_live boolean default false not null,
  previous json,
  constraint replay_once PRIMARY KEY (register, operation)
);

create table replay_part (
  register text collate "C" not null,
  operation uuid not null,
  part integer not null,
  up_to text collate "C" not null,
  done text collate "C" not null,
  events bigint default 0 not null,
  is_done boolean default false not null,
  constraint replay_part_once PRIMARY KEY (register, operation, part)
);

create table signed_checkpoint (
  register text collate "C" not null,
  size bigint not null,
  root bytea not null,
  note text not null,
  signed_at timestamp(3) with time zone not null,
  constraint signed_checkpoint_once PRIMARY KEY (register, size)
);

create table signing_key (
  register text collate "C" not null,
  vkey text not null,
  from_size bigint not null,
  to_size bigint,
  constraint signing_key_once PRIMARY KEY (register, vkey, from_size)
);

create table tally (
  register text collate "C" not null,
  generation bigint not null,
  part_of text collate "C" not null,
  part text collate "C" not null,
  level smallint not null,
  bucket integer not null,
  epoch integer not null,
  base integer not null,
  whole_bytes bigint not null,
  since_bytes bigint not null,
  statuses bytea not null,
  days bytea not null,
  constraint tally_once PRIMARY KEY (register, generation, part_of, part, level, bucket, epoch)
) partition by LIST (generation);

create table tile (
  register text collate "C" not null,
  level smallint not null,
  index bigint not null,
  hashes bytea not null,
  constraint tile_of_hashes CHECK ((((octet_length(hashes) >= 32) AND (octet_length(hashes) <= 8192)) AND ((octet_length(hashes) % 32) = 0))),
  constraint tile_once PRIMARY KEY (register, level, index)
);

create table token (
  id text collate "C" not null,
  hash bytea not null,
  grants jsonb not null,
  created_at timestamp(3) with time zone not null,
  expires_at timestamp(3) with time zone,
  revoked_at timestamp(3) with time zone,
  last_used_at timestamp(3) with time zone,
  constraint token_hash_once UNIQUE (hash),
  constraint token_once PRIMARY KEY (id)
);

create table tree (
  register text collate "C" not null,
  origin text not null,
  size bigint default 0 not null,
  signed_at timestamp(3) with time zone,
  refused_because text,
  constraint tree_once PRIMARY KEY (register)
);

create table commitment_g0 partition of commitment FOR VALUES IN ('0');

create table period_g0 partition of period FOR VALUES IN ('0');

create table tally_g0 partition of tally FOR VALUES IN ('0');

CREATE INDEX commitment_search ON ONLY public.commitment USING gin (search);

CREATE INDEX event_erased ON public.event USING btree (register, "position") WHERE (salt IS NULL);

CREATE INDEX idempotency_key_kept_at ON public.idempotency_key USING btree (register, kept_at);

CREATE UNIQUE INDEX operation_running ON public.operation USING btree ((true)) WHERE (state = 'running'::text);

CREATE INDEX period_first ON ONLY public.period USING btree (register, id) WHERE is_first;

CREATE INDEX period_known_from ON ONLY public.period USING btree (register, known_from, id);

CREATE OR REPLACE FUNCTION public.adopt_primary_key(p_table text, p_generation bigint, p_index text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  v_name text := partition_of(p_table, p_generation);
begin
  execute format('alter table %I add constraint %I primary key using index %2$I', v_name, v_name || '_' || p_index);
end
$function$;

CREATE OR REPLACE FUNCTION public.append_events(p_register text, p_open boolean, p_recorded_at timestamp with time zone, p_own_revision integer, p_streams text[], p_group integer[], p_stream integer[], p_expected integer[], p_id uuid[], p_type text[], p_type_version integer[], p_recorded_by text[], p_occurred_on text[], p_data text[], p_citations text[], p_salt text[], p_body_hash text[])
 RETURNS TABLE(outcomes text[], positions bigint[], revisions integer[], recorded_ms bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.attach_partition(p_table text, p_generation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  v_name text := partition_of(p_table, p_generation);
begin
  execute format('alter table %I attach partition %I for values in (%s)', p_table, v_name, p_generation);
  execute format('alter table %I drop constraint if exists of_generation', v_name);
  execute format('analyze %I', v_name);
end
$function$;

CREATE OR REPLACE FUNCTION public.begin_filling(p_generation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  v_name text := partition_of('commitment', p_generation);
begin
  execute format('alter table %I add column search_text text', v_name);
  execute format('create trigger search_words before insert on %I for each row execute function commitment_search()', v_name);
end
$function$;

CREATE OR REPLACE FUNCTION public.blank_data(p_type text, p_data json)
 RETURNS json
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when p_type in ('EventRetracted', 'EventCorrected') then ('{"event":"' || (p_data ->> 'event') || '"}')::json end
$function$;

CREATE OR REPLACE FUNCTION public.commitment_search()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.search := to_tsvector('simple', new.search_text);
  new.search_text := null;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION public.create_partition(p_table text, p_generation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.drop_partition(p_table text, p_generation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  execute format('drop table if exists %I', partition_of(p_table, p_generation));
end
$function$;

CREATE OR REPLACE FUNCTION public.end_filling(p_generation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  v_name text := partition_of('commitment', p_generation);
begin
  execute format('drop trigger if exists search_words on %I', v_name);
  execute format('alter table %I drop column search_text', v_name);
end
$function$;

CREATE OR REPLACE FUNCTION public.index_partition(p_table text, p_generation bigint, p_index text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET maintenance_work_mem TO '256MB'
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  v_name text := partition_of(p_table, p_generation);
  v_definition text;
begin
  select pg_get_indexdef(indexrelid) into strict v_definition from pg_index join pg_class on pg_class.oid = indexrelid
    where indrelid = to_regclass(quote_ident(p_table)) and relname = p_index;
  execute regexp_replace(v_definition, ' INDEX \S+ ON (ONLY )?\S+',
    format(' INDEX IF NOT EXISTS %I ON %I', v_name || '_' || p_index, v_name));
end
$function$;

CREATE OR REPLACE FUNCTION public.lock_register(p_register text)
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select size from register where register = p_register for update
$function$;

CREATE OR REPLACE FUNCTION public.partition_of(p_table text, p_generation bigint)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  if pg_get_partkeydef(to_regclass(quote_ident(p_table))) is distinct from 'LIST (generation)' then
    raise exception 'no table of a projection: %', p_table using errcode = 'insufficient_privilege';
  end if;
  return p_table || '_g' || p_generation;
end
$function$;

CREATE OR REPLACE FUNCTION public.redact_event(p_register text, p_id uuid)
 RETURNS bigint[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.refuse_all_but_blanking()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  raise exception 'events are never changed: % of % refused', lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$function$;

CREATE OR REPLACE FUNCTION public.refuse_rewriting()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  raise exception 'what is published stays: % of % refused', lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$function$;

CREATE OR REPLACE FUNCTION public.refuse_shrinking()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if new.register <> old.register or new.level <> old.level or new.index <> old.index
    or substring(new.hashes for octet_length(old.hashes)) <> old.hashes then
    raise exception 'a tile only grows: update of tile refused' using errcode = 'restrict_violation';
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION public.size_at(p_register text, p_instant timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.tally_parts(p_register text, p_generation bigint, p_part_of text)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
AS $function$
  with recursive found (part) as (
    (select t.part from tally t where t.register = p_register and t.generation = p_generation and t.part_of = p_part_of
      order by t.part limit 1)
    union all
    select (select t.part from tally t where t.register = p_register and t.generation = p_generation
        and t.part_of = p_part_of and t.part > found.part order by t.part limit 1)
      from found where found.part is not null)
  select part from found where part is not null
$function$;

CREATE OR REPLACE FUNCTION public.tally_sums(p_register text, p_version integer, p_generation bigint, p_part_of text, p_part text, p_epochs integer, p_year integer, p_last_month integer, p_by_day integer[], p_with_days boolean)
 RETURNS TABLE(built bigint, part_of text, part text, level smallint, bucket integer, statuses bytea, days bytea)
 LANGUAGE plpgsql
 STABLE
AS $function$
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
$function$;

CREATE TRIGGER event_append_only BEFORE DELETE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table event enable always trigger event_append_only;

CREATE TRIGGER event_only_blanked BEFORE UPDATE ON public.event FOR EACH ROW EXECUTE FUNCTION refuse_all_but_blanking();
alter table event enable always trigger event_only_blanked;

CREATE TRIGGER read_record_stays BEFORE DELETE OR UPDATE OR TRUNCATE ON public.read_record FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
alter table read_record enable always trigger read_record_stays;

CREATE TRIGGER register_stays BEFORE DELETE OR TRUNCATE ON public.register FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table register enable always trigger register_stays;

CREATE TRIGGER signed_checkpoint_stays BEFORE DELETE OR UPDATE OR TRUNCATE ON public.signed_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
alter table signed_checkpoint enable always trigger signed_checkpoint_stays;

CREATE TRIGGER signing_key_stays BEFORE DELETE OR TRUNCATE ON public.signing_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
alter table signing_key enable always trigger signing_key_stays;

CREATE TRIGGER tile_grows BEFORE UPDATE ON public.tile FOR EACH ROW EXECUTE FUNCTION refuse_shrinking();
alter table tile enable always trigger tile_grows;

CREATE TRIGGER tile_stays BEFORE DELETE OR TRUNCATE ON public.tile FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
alter table tile enable always trigger tile_stays;

CREATE TRIGGER tree_stays BEFORE DELETE OR TRUNCATE ON public.tree FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
alter table tree enable always trigger tree_stays;
