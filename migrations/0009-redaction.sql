-- Redaction: the content of an event can be erased, and nothing else of it changed. The register counts how often that was
-- done, since every answer may lose by it, whatever its size and day.

alter table register add column redactions bigint not null default 0;

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

drop trigger event_append_only on event;
create trigger event_append_only before delete or truncate on event for each statement execute function refuse_change();
create trigger event_only_blanked before update on event for each row execute function refuse_all_but_blanking();
-- Also where session_replication_role switches ordinary triggers off.
alter table event enable always trigger event_append_only;
alter table event enable always trigger event_only_blanked;

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
