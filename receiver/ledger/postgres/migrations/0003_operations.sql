-- What people have many rows changed by. Few enough for one node: on Citus these are reference tables.
create table operations (
  id uuid primary key,
  kind text not null,
  endpoint text not null,               -- '' = all
  actor text,
  note text,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  state text not null,
  dry_run boolean not null,
  spec json,
  counts json,
  input text,
  total integer not null,               -- -1 before the rows are selected
  cursor_row integer not null,
  revision integer not null,
  error text,
  request uuid unique                   -- of the request that asked for it
);

create table operation_rows (
  operation uuid not null,
  number integer not null,
  origin uuid,
  subid text,
  tid text,
  input text,
  outcome text,
  reason text,
  result json,
  primary key (operation, number)
);
