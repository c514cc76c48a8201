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

-- An empty table of a generation, not attached and without indexes. Whoever has rights to the rows of the projection has them here.
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
