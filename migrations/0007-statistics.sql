-- What is asked costs the same in a register that is new: no statistics are kept of which registers there are.

-- Of a register that statistics do not know yet they say that it has next to no rows. Any index that begins with it then
-- seems as good as another, and each lookup in it reads all of the register. Without them, every register is taken to have
-- a share of the table. (Further generations of the projections do the same: src/projections/generations.ts.)
alter table event alter column register set statistics 0;
alter table commitment_g0 alter column register set statistics 0;
alter table period_g0 alter column register set statistics 0;
alter table tally_g0 alter column register set statistics 0;
