-- Every key starts with the bucket, so that the same tables can be distributed by it (Citus) or hashed by it
-- (YugabyteDB). Text is collated "C": keys sort by bytes, in Go as in the database. No index is on a column that
-- changes, so that updates stay in their page (HOT); fillfactor leaves them room. Nor is one on times: the ids are UUIDv7,
-- which begin with the time. Clicks have no id, and a time that stays. Amounts are null while no rate is known.
--
-- A statement ends with a semicolon at the end of a line; each is sent by itself.

create table clicks (
  bucket smallint not null,
  endpoint text collate "C" not null,
  subid text collate "C" not null,
  present boolean not null,             -- false: a placeholder, there to be locked; no click
  click_time timestamptz,
  campaign text,
  ip text,
  user_agent text,
  params json,
  visitor_fields text,                  -- separated by commas
  unique_visit boolean not null default false,  -- the campaign's first click of its visitor for some time
  test boolean not null default false,  -- somebody tries something out; all that comes of it is a test, too
  cost numeric,
  cost_original numeric,
  cost_original_currency text,
  cost_rate numeric,
  cost_rate_date timestamptz,
  cost_rate_source text,
  primary key (bucket, endpoint, subid)
) with (fillfactor = 80);

create index clicks_time on clicks (click_time);

create index clicks_test on clicks (click_time) where test;

create table conversions (
  bucket smallint not null,
  endpoint text collate "C" not null,
  subid text collate "C" not null,
  tid text collate "C" not null,
  slot_type text collate "C" not null,  -- empty unless the endpoint's slots are told apart by type
  id uuid not null,
  type text not null,
  previous_type text,
  status text,
  currency text not null,               -- the endpoint's, of payout and cost
  params json,
  campaign text,                        -- the click's, when this version was written
  source text,
  test boolean not null,                -- true: somebody has tried something out
  sender text,                          -- the parameter "from"
  warnings text,                        -- separated by commas
  click_time timestamptz,
  conversion_time timestamptz,
  sale_time timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  version integer not null,
  writer text not null,
  pinned boolean not null,              -- true: a person corrected it
  request_id uuid not null,
  stamp bigint not null,
  payout numeric,
  payout_original numeric not null,
  payout_original_currency text not null,
  payout_rate numeric,
  payout_rate_date timestamptz,
  payout_rate_source text,
  cost numeric,
  cost_original numeric,
  cost_original_currency text,
  cost_rate numeric,
  cost_rate_date timestamptz,
  cost_rate_source text,
  primary key (bucket, endpoint, subid, tid, slot_type)
) with (fillfactor = 80);

create index conversions_id on conversions (id);

-- For reports of rows. They come in the order of time, about: the least and the greatest of some pages tell which to
-- read.
create index conversions_times on conversions using brin (conversion_time, (coalesce(click_time, conversion_time)))
  with (pages_per_range = 32, autosummarize = on);

-- For lists of one endpoint. On lower(endpoint), which changes nothing in a name of Kubernetes, so that no plan for
-- looking up a slot can take this index for the primary key: while a table is empty they look alike, and plans outlive that.
create index conversions_of_endpoint on conversions (lower(endpoint), id);

-- The versions that are no longer current. The version in the primary key makes a lost update impossible: two batches
-- that replace the same version collide here.
create table conversion_history (
  like conversions including defaults,
  primary key (bucket, endpoint, subid, tid, slot_type, version)
);

create index conversion_history_updated_at on conversion_history (updated_at);

-- The received log, and the journal: one row for each version of each conversion. tx is the number of the transaction
-- that wrote the row, plus postback_schema.tx_base: readers follow it, see journal.go. Each day has a partition, which
-- receivers make ahead and drop as a whole, see days.go; rows of other days are in received_rest.
create table received (
  bucket smallint not null,
  endpoint text collate "C" not null,
  subid text collate "C" not null,
  id uuid not null,
  kind text not null,
  at timestamptz,
  stamp bigint not null,
  key_id text,
  ip text,
  method text,
  content_type text,
  query bytea,                          -- as received, which need not be UTF-8
  body bytea,
  subid_from text,
  tid text,
  type text,
  outcome text not null,
  reason text,
  warnings text,                        -- separated by commas
  conversion uuid,
  version integer,                      -- the one that this row made
  status text,                          -- the network's word
  actor text,
  note text,
  operation uuid,
  origin uuid,                          -- the row that this one settles or replays
  signature uuid,                       -- of a request that counts once
  test boolean not null default false,
  tx bigint not null,
  primary key (bucket, endpoint, subid, id)
) partition by range (id);

create table received_rest partition of received default;

create index received_id on received (id);

create index received_of_endpoint on received (lower(endpoint), id);

create index received_tx on received (tx);

create index received_signature on received (bucket, endpoint, subid, signature) where signature is not null;

create table held (
  bucket smallint not null,
  endpoint text collate "C" not null,
  subid text collate "C" not null,
  request_id uuid not null,
  tid text collate "C" not null,
  slot_type text collate "C" not null,
  until timestamptz not null,
  intent json not null,
  primary key (bucket, endpoint, subid, request_id)
);

create index held_until on held (until);

create table pending_rates (
  bucket smallint not null,
  endpoint text collate "C" not null,
  subid text collate "C" not null,
  of_click boolean not null,            -- true: the click's cost waits
  tid text collate "C" not null,
  slot_type text collate "C" not null,
  currency text collate "C" not null,
  to_currency text collate "C" not null,
  primary key (bucket, endpoint, subid, of_click, tid, slot_type, currency, to_currency)
);

-- S2S postbacks. Rows stay after they were sent, for everyone to see what became of them. The indexes on what waits are
-- partial: rows leave them when they end. A lease changes no indexed column, so that claiming stays in the page.
create table outbox (
  bucket smallint not null,
  endpoint text collate "C" not null,
  subid text collate "C" not null,
  id uuid not null,
  rule text collate "C" not null,
  host text collate "C" not null,
  tid text collate "C" not null,
  slot_type text collate "C" not null,
  version integer not null,             -- the order of one conversion's postbacks
  conversion_id uuid not null,
  type text not null,
  conversion json,                      -- null once it is delivered
  click json,
  ip text,
  state text not null,
  reason text,
  created_at timestamptz not null,
  due timestamptz not null,
  ended_at timestamptz,
  tries integer not null,
  attempts json,
  test boolean not null default false,
  postponed boolean not null default false,  -- put aside behind older ones
  holder text not null default '',        -- the receiver that is sending it, until leased_until
  leased_until timestamptz,
  primary key (bucket, endpoint, subid, id)
) with (fillfactor = 70);

create index outbox_due on outbox (host, due) where state = 'waiting';

create index outbox_order on outbox (bucket, endpoint, subid, tid, slot_type, rule, version) where state = 'waiting';

create index outbox_failed on outbox (id) where state = 'failed';

create index outbox_id on outbox (id);

create table rates (
  source text primary key,
  base text not null,
  date timestamptz,
  fetched timestamptz,
  rates json not null
);

create table leases (
  name text primary key,
  holder text not null,
  until timestamptz not null
);

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

-- Sums of clicks and conversions by slots of time and campaigns: what most reports are made of. basis is 0 for clicks, 1
-- for conversions by the time of their click, 2 by their own; slot counts half hours since 1970 in UTC. The same is there
-- by three hours with basis 3 to 5, and by days with 6 to 8. type is empty but for cells of a custom conversion type. n
-- and amount are of the clicks, or of the custom type; a zero is null.
create table report_cells (
  endpoint text collate "C" not null,
  basis bigint not null,
  slot bigint not null,
  campaign text collate "C" not null,
  currency text collate "C" not null,
  type text collate "C" not null,
  pending bigint not null,             -- wait for a rate
  unique_visits bigint not null,
  n bigint,
  n_lead bigint,
  n_sale bigint,
  n_rejected bigint,
  n_registration bigint,
  n_deposit bigint,
  n_trash bigint,
  amount numeric,
  amount_lead numeric,
  amount_sale numeric,
  amount_rejected numeric,
  amount_registration numeric,
  amount_deposit numeric,
  amount_trash numeric,
  primary key (endpoint, basis, slot, campaign, currency, type)
) partition by list (basis);

-- A report reads one or two of them.
create table report_cells_visits partition of report_cells for values in (0) with (fillfactor = 80);

create table report_cells_by_click partition of report_cells for values in (1) with (fillfactor = 80);

create table report_cells_by_conversion partition of report_cells for values in (2) with (fillfactor = 80);

create table report_cells_visits_3h partition of report_cells for values in (3) with (fillfactor = 80);

create table report_cells_by_click_3h partition of report_cells for values in (4) with (fillfactor = 80);

create table report_cells_by_conversion_3h partition of report_cells for values in (5) with (fillfactor = 80);

create table report_cells_visits_day partition of report_cells for values in (6) with (fillfactor = 80);

create table report_cells_by_click_day partition of report_cells for values in (7) with (fillfactor = 80);

create table report_cells_by_conversion_day partition of report_cells for values in (8) with (fillfactor = 80);

-- What batches have changed and cells do not have yet. A row is deleted by the transaction that adds it.
create table report_changes (
  bucket smallint not null,
  endpoint text collate "C" not null,
  id uuid not null,
  at timestamptz not null,
  changes bytea not null,
  primary key (bucket, endpoint, id)
);

alter table report_changes alter column changes set storage external;

create index report_changes_id on report_changes (id);
