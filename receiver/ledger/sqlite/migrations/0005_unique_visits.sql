-- 1: the campaign's first click of its visitor for some time.
alter table clicks add column unique_visit integer not null default 0;
