-- The operation that has had it sent again.
alter table outbox add column operation uuid;
