-- Replays that are under way and what came of them: whose turn it is, and how far each has come, so that it goes on after a crash.

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
