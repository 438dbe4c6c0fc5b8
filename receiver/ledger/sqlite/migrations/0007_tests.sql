-- 1: somebody tries something out by this click; all that comes of it is a test, too.
alter table clicks add column test integer not null default 0;

create index clicks_test on clicks (click_time) where test;

alter table received add column test integer not null default 0;

alter table outbox add column test integer not null default 0;
