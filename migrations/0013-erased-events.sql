-- Every answer says which of what it would hold was erased: those few events are found without reading the log.

create index event_erased on event (register, position) where salt is null;
