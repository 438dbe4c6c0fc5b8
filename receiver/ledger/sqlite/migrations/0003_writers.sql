-- Who wrote each version, and which fields of a click were set from a page: docs/semantics.md, "Who may change what".

alter table clicks add column visitor_fields text;                          -- separated by commas

alter table conversions add column writer text not null default 'key';
alter table conversions add column pinned integer not null default 0;       -- 1: a person corrected it
alter table history add column writer text not null default 'key';
alter table history add column pinned integer not null default 0;
