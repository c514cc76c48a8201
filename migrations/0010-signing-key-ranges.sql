-- A key that comes back signs another range of sizes. What is listed of it before stays as it is.

alter table signing_key drop constraint signing_key_once;
alter table signing_key add constraint signing_key_once primary key (register, vkey, from_size);
