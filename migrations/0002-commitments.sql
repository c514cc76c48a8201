-- The projection `commitments`: the newest state of each commitment, and how far each projection has read each log.

create table checkpoint (
  register text collate "C" not null,
  projection text collate "C" not null,
  -- The version of the fold that wrote the rows; another one builds them anew.
  version integer not null,
  size bigint not null,
  -- The register's time zone as known at that size: facts are dated by it.
  time_zone text,
  -- Set where the fold met an event that it cannot read; the projection stops there and skips nothing.
  stopped_at bigint,
  stopped_because text,
  moved_at timestamptz(3) not null,
  constraint checkpoint_once primary key (register, projection)
);

create table commitment (
  register text collate "C" not null,
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
  constraint commitment_once primary key (register, id)
);

create index commitment_search on commitment using gin (search);
