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
