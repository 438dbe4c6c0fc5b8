-- What people have many rows changed by.
create table operations (
  id         blob    primary key,
  kind       text    not null,
  endpoint   text    not null,            -- its name; '' = all
  actor      text,
  note       text,
  created_at integer not null,
  started_at integer,
  ended_at   integer,
  state      text    not null,
  dry_run    integer not null,
  spec       text,
  counts     text,
  input      text,
  total      integer not null,            -- -1 before the rows are selected
  cursor_row integer not null,
  revision   integer not null,
  error      text,
  request    blob    unique               -- of the request that asked for it
) without rowid;

create table operation_rows (
  operation blob    not null,
  number    integer not null,
  origin    blob,
  subid     text,
  tid       text,
  input     text,
  outcome   text,
  reason    text,
  result    text,
  primary key (operation, number)
) without rowid;
