-- The log: registers, their events, and the only function that appends; the database itself refuses to change an event.

create table register (
  register text collate "C" not null,
  -- How many events the register holds: the next position. The row is the lock that makes commit order position order.
  size bigint not null default 0,
  last_recorded_at timestamptz(3),
  -- The revision of the stream $register: admission depends on what it defines.
  own_revision integer not null default 0,
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

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are never changed: % of % refused', lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger event_append_only before update or delete or truncate on event
  for each statement execute function refuse_change();
-- Also where session_replication_role switches ordinary triggers off.
alter table event enable always trigger event_append_only;

-- Without its row a register's events could not be found, nor the next position be given out.
create trigger register_stays before delete or truncate on register
  for each statement execute function refuse_change();
alter table register enable always trigger register_stays;

-- Appends a batch under the register's row, which is held to the commit: no reader ever sees a gap. Items with the same
-- group number are recorded together or not at all; a failed group leaves the others alone. p_expected is the stream's
-- revision before the item, as admission saw it, earlier items of the batch counted.
-- One row an item: 'appended' (position, revision, recorded_at), 'duplicate' (position of the event with that id),
-- 'conflict' (revision: the actual one) or 'skipped' (another item of its group failed).
create function append_events(
  p_register text, p_open boolean, p_recorded_at timestamptz, p_own_revision integer, p_streams text[],
  p_group integer[], p_stream integer[], p_expected integer[], p_id uuid[], p_type text[], p_type_version integer[],
  p_recorded_by text[], p_occurred_on text[], p_data text[], p_citations text[], p_salt text[], p_body_hash text[]
) returns table (item integer, outcome text, "position" bigint, revision integer, recorded_at timestamptz)
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

  select array_agg(coalesce((select e.revision from event e where e.register = p_register and e.stream = n.stream
      order by e.revision desc limit 1), 0) order by n.ordinality)
    into v_revisions from unnest(p_streams) with ordinality n (stream, ordinality);
  select array_agg(e.position order by n.ordinality)
    into v_existing from unnest(p_id) with ordinality n (id, ordinality)
    left join event e on e.register = p_register and e.id = n.id;

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

  return query select n.ordinality::integer, n.outcome, n.position, n.revision, v_at::timestamptz
    from unnest(v_outcome, v_position, v_revision) with ordinality n (outcome, position, revision, ordinality)
    order by n.ordinality;
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
