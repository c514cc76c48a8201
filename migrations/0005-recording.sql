-- Recording under load: appending costs the same however long the log is, and what was recorded under an idempotency key is
-- kept, so that a recording that is sent again is answered as the first time.

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

-- Appends a batch under the register's row, which is held to the commit: no reader ever sees a gap. Items with the same
-- group number are recorded together or not at all; a failed group leaves the others alone. p_expected is the stream's
-- revision before the item, as admission saw it, earlier items of the batch counted.
-- One row, in it an outcome for each item: 'appended' (position, revision), 'duplicate' (position of the event with that
-- id), 'conflict' (revision: the actual one) or 'skipped' (another item of its group failed). No row where there is no such
-- register.
drop function append_events;
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
