-- Times are microseconds since 1970 in UTC; amounts are exact decimals as text, null while no rate is known. Null is also
-- the empty text. Ids are UUIDv7 of the moment of receipt, so that their index also finds what was received, or created,
-- between two times. Tables are rowid tables: what arrives is appended, and only the narrow indexes by subid are written
-- at random places. Endpoints are numbers.

create table endpoints (
  id   integer primary key,
  name text not null unique
);

create table clicks (
  seq                    integer primary key,
  endpoint               integer not null,
  subid                  text    not null,
  click_time             integer,
  campaign               text,
  ip                     text,
  user_agent             text,
  params                 text,             -- JSON object of strings
  visitor_fields         text,             -- separated by commas
  unique_visit           integer not null, -- 1: the campaign's first click of its visitor for some time
  test                   integer not null, -- 1: somebody tries something out; all that comes of it is a test, too
  cost                   text,             -- in the endpoint's currency
  cost_original          text,
  cost_original_currency text,
  cost_rate              text,
  cost_rate_date         integer,
  cost_rate_source       text
);

create unique index clicks_subid on clicks (endpoint, subid);

create index clicks_time on clicks (click_time);

create index clicks_test on clicks (click_time) where test;

create table conversions (
  seq                      integer primary key,
  endpoint                 integer not null,
  subid                    text    not null,
  tid                      text    not null,
  slot_type                text    not null,  -- empty unless the endpoint's slots are told apart by type
  id                       blob    not null,
  type                     text    not null,
  previous_type            text,
  status                   text,
  currency                 text    not null,  -- the endpoint's, of payout and cost
  params                   text,
  campaign                 text,              -- the click's, when this version was written
  source                   text,
  test                     integer not null,  -- 1: somebody has tried something out
  sender                   text,              -- the parameter "from"
  warnings                 text,              -- separated by commas
  click_time               integer,
  conversion_time          integer,
  sale_time                integer,
  created_at               integer,
  updated_at               integer,
  version                  integer not null,
  writer                   text    not null,
  pinned                   integer not null,  -- 1: a person corrected it
  request_id               blob    not null,
  stamp                    integer not null,
  payout                   text,
  payout_original          text    not null,
  payout_original_currency text    not null,
  payout_rate              text,
  payout_rate_date         integer,
  payout_rate_source       text,
  cost                     text,
  cost_original            text,
  cost_original_currency   text,
  cost_rate                text,
  cost_rate_date           integer,
  cost_rate_source         text
);

create unique index conversions_slot on conversions (endpoint, subid, tid, slot_type);

create unique index conversions_id on conversions (id);

-- The versions that are no longer current; columns as in conversions.
create table conversion_history (
  seq                      integer primary key,
  endpoint                 integer not null,
  subid                    text    not null,
  tid                      text    not null,
  slot_type                text    not null,
  id                       blob    not null,
  type                     text    not null,
  previous_type            text,
  status                   text,
  currency                 text    not null,
  params                   text,
  campaign                 text,
  source                   text,
  test                     integer not null,
  sender                   text,
  warnings                 text,
  click_time               integer,
  conversion_time          integer,
  sale_time                integer,
  created_at               integer,
  updated_at               integer,
  version                  integer not null,
  writer                   text    not null,
  pinned                   integer not null,
  request_id               blob    not null,
  stamp                    integer not null,
  payout                   text,
  payout_original          text    not null,
  payout_original_currency text    not null,
  payout_rate              text,
  payout_rate_date         integer,
  payout_rate_source       text,
  cost                     text,
  cost_original            text,
  cost_original_currency   text,
  cost_rate                text,
  cost_rate_date           integer,
  cost_rate_source         text
);

create unique index conversion_history_version on conversion_history (id, version);

create index conversion_history_updated_at on conversion_history (updated_at);

-- The received log, and the journal: one row for each version of each conversion. One batch commits at a time, hence
-- the row numbers tell the order of commits. No number is used twice, also when the last row is deleted.
create table received (
  seq          integer primary key autoincrement,
  endpoint     integer not null,
  subid        text    not null,
  id           blob    not null,
  kind         text    not null,
  at           integer,
  stamp        integer not null,
  key_id       text,
  ip           text,
  method       text,
  content_type text,
  query        text,
  body         text,
  subid_from   text,
  tid          text,
  type         text,
  outcome      text    not null,
  reason       text,
  warnings     text,              -- separated by commas
  conversion   blob,
  version      integer,           -- the one that this row made
  status       text,              -- the network's word
  actor        text,
  note         text,
  operation    blob,
  origin       blob,              -- the row that this one settles or replays
  signature    blob,              -- of a request that counts once
  test         integer not null
);

create unique index received_id on received (id);

create index received_subid on received (subid);

create index received_signature on received (signature) where signature is not null;

create table held (
  endpoint   integer not null,
  subid      text    not null,
  request_id blob    primary key,
  tid        text    not null,
  slot_type  text    not null,
  until      integer not null,
  intent     text    not null     -- JSON
) without rowid;

create index held_subid on held (endpoint, subid);

create index held_until on held (until);

create table pending_rates (
  endpoint    integer not null,
  subid       text    not null,
  of_click    integer not null,   -- 1: the click's cost waits
  tid         text    not null,
  slot_type   text    not null,
  currency    text    not null,
  to_currency text    not null,
  primary key (endpoint, subid, of_click, tid, slot_type, currency, to_currency)
) without rowid;

-- S2S postbacks. Rows stay after they were sent, for everyone to see what became of them. Who is sending a row is not
-- stored: one process has the file, and when it dies nobody is sending.
create table outbox (
  seq           integer primary key,
  endpoint      integer not null,
  subid         text    not null,
  id            blob    not null,
  rule          text    not null,
  host          text    not null,
  tid           text    not null,
  slot_type     text    not null,
  version       integer not null,  -- the order of one conversion's postbacks
  conversion_id blob    not null,
  type          text    not null,
  conversion    text,              -- JSON, the version that is to be reported; null once it is delivered
  click         text,              -- JSON
  ip            text,
  state         text    not null,
  reason        text,
  created_at    integer not null,
  due           integer not null,
  ended_at      integer,
  tries         integer not null,
  attempts      text,              -- JSON
  test          integer not null,
  postponed     integer not null default 0  -- 1: put aside behind older ones
);

create unique index outbox_id on outbox (id);

create index outbox_due on outbox (host, due) where state = 'waiting';

create index outbox_order on outbox (endpoint, subid, tid, slot_type, rule, state, version);

create index outbox_failed on outbox (id) where state = 'failed';

create table rates (
  source  text primary key,
  base    text not null,
  date    integer,
  fetched integer,
  rates   text not null            -- JSON
) without rowid;

create table leases (
  name   text    primary key,
  holder text    not null,
  until  integer not null
) without rowid;

-- What proves that the store can be written.
create table heartbeat (beats integer not null);

insert into heartbeat values (0);

-- That something was erased, and when: by "subid", "ip" or "parameter", but not what.
create table erasures (
  seq         integer primary key,
  at          integer not null,
  by          text    not null,
  clicks      integer not null,
  conversions integer not null,   -- versions, those that are no longer current included
  received    integer not null,
  held        integer not null,
  outbox      integer not null
);

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

-- Sums of clicks and conversions by slots of time and campaigns: what most reports are made of. basis is 0 for clicks, 1
-- for conversions by the time of their click, 2 by their own; slot counts half hours since 1970 in UTC. The same is there
-- by three hours with basis 3 to 5, and by days with 6 to 8. type is empty but for cells of a custom conversion type. n
-- and amount are of the clicks, or of the custom type; a zero is null.
-- Amounts are whole millionths, or decimals as text.
create table report_cells (
  endpoint integer not null,
  basis integer not null,
  slot integer not null,
  campaign text not null,
  currency text not null,
  type text not null,
  pending integer not null,        -- wait for a rate
  unique_visits integer not null,
  n integer,
  n_lead integer,
  n_sale integer,
  n_rejected integer,
  n_registration integer,
  n_deposit integer,
  n_trash integer,
  amount,
  amount_lead,
  amount_sale,
  amount_rejected,
  amount_registration,
  amount_deposit,
  amount_trash,
  primary key (endpoint, basis, slot, campaign, currency, type)
) without rowid;

-- What batches have changed and cells do not have yet. A row is deleted by the transaction that adds it.
create table report_changes (
  seq      integer primary key,
  endpoint integer not null,
  id       blob    not null,
  at       integer not null,
  changes  text    not null         -- bytes
);
