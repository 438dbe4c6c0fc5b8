-- The operation that has had it sent again.
alter table outbox add column operation blob;

-- Erasures are operations.
drop table erasures;
