-- Who wrote each version, and which fields of a click were set from a page: docs/semantics.md, "Who may change what".

alter table clicks add column visitor_fields text not null default '';   -- separated by commas

alter table conversions
  add column writer text not null default 'key',
  add column pinned boolean not null default false;       -- true: a person corrected it
alter table conversion_history
  add column writer text not null default 'key',
  add column pinned boolean not null default false;
