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
  constraint signing_key_once primary key (register, vkey)
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
