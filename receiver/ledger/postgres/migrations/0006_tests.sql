-- True: somebody tries something out by this click; all that comes of it is a test, too.
alter table clicks add column test boolean not null default false;

create index clicks_test on clicks (click_time) where test;

alter table received add column test boolean not null default false;

alter table outbox add column test boolean not null default false;
