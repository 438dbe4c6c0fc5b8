-- The campaign's first click of its visitor for some time.
alter table clicks add column unique_visit boolean not null default false;
