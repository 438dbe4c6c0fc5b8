-- Times are microseconds since 1970 in UTC, null for none; amounts are exact decimals as text.
-- Ids are UUIDv7 of the moment of receipt, so that their index also finds what was received, or created, between two times.
-- Tables are rowid tables: what arrives is appended, and only the narrow indexes by subid are written at random places.

create table endpoints (
  id   integer primary key,
  name text not null unique
);

create table clicks (
  seq        integer primary key,
  endpoint   integer not null,
  subid      text    not null,
  time       integer,
  campaign   text,
  ip         text,
  user_agent text,
  params     text,   -- JSON object of strings
  cost       text    -- JSON: original, currency, converted, rate
);
create unique index clicks_subid on clicks (endpoint, subid);

create table conversions (
  seq               integer primary key,
  id                blob    not null,
  endpoint          integer not null,
  subid             text    not null,
  tid               text    not null,
  slot_type         text    not null,  -- empty unless the endpoint's slots are told apart by type
  type              text    not null,
  previous_type     text,
  status            text,
  payout            text,              -- in currency; null while there is no rate
  currency          text,
  original_payout   text    not null,
  original_currency text,
  rate              text,
  rate_date         integer,
  rate_source       text,
  cost              text,              -- JSON, as in clicks
  params            text,
  sender            text,
  warnings          text,              -- separated by commas
  click_time        integer,
  conversion_time   integer,
  sale_time         integer,
  created_at        integer,
  updated_at        integer,
  version           integer not null,
  request_id        blob    not null,
  stamp             integer not null
);
create unique index conversions_slot on conversions (endpoint, subid, tid, slot_type);
create unique index conversions_id on conversions (id);

-- The versions that are no longer current; columns as in conversions.
create table history (
  seq               integer primary key,
  id                blob    not null,
  endpoint          integer not null,
  subid             text    not null,
  tid               text    not null,
  slot_type         text    not null,
  type              text    not null,
  previous_type     text,
  status            text,
  payout            text,
  currency          text,
  original_payout   text    not null,
  original_currency text,
  rate              text,
  rate_date         integer,
  rate_source       text,
  cost              text,
  params            text,
  sender            text,
  warnings          text,
  click_time        integer,
  conversion_time   integer,
  sale_time         integer,
  created_at        integer,
  updated_at        integer,
  version           integer not null,
  request_id        blob    not null,
  stamp             integer not null
);
create unique index history_version on history (id, version);
create index history_updated on history (updated_at);

create table received (
  seq        integer primary key,
  id         blob    not null,
  endpoint   integer not null,
  at         integer,
  stamp      integer not null,
  key_id     text,
  ip         text,
  method     text,
  query      text,
  body       text,
  subid      text,
  tid        text,
  type       text,
  outcome    text    not null,
  reason     text,
  warnings   text,
  conversion blob
);
create unique index received_id on received (id);
create index received_subid on received (subid) where subid is not null;

create table held (
  id       blob    primary key,
  endpoint integer not null,
  subid    text    not null,
  stamp    integer not null,
  until    integer not null,
  intent   text    not null   -- JSON
) without rowid;
create index held_subid on held (endpoint, subid);
create index held_until on held (until);

create table pending_rates (
  endpoint    integer not null,
  subid       text    not null,
  click       integer not null,  -- 1: the click's cost waits
  tid         text    not null,
  slot_type   text    not null,
  currency    text    not null,
  to_currency text    not null,
  primary key (endpoint, subid, click, tid, slot_type, currency, to_currency)
) without rowid;

-- The outbox: S2S postbacks due.
create table forwards (
  seq        integer primary key,
  id         blob    not null,
  endpoint   integer not null,
  subid      text    not null,
  rule       text    not null,
  due        integer not null,
  ip         text,
  conversion text    not null,  -- JSON, the version that is to be reported
  click      text               -- JSON
);
create index forwards_due on forwards (due);

create table rates (
  source text primary key,
  rates  text not null          -- JSON
) without rowid;

create table leases (
  name   text    primary key,
  holder text    not null,
  until  integer not null
) without rowid;

-- What proves that the store can be written.
create table heartbeat (beats integer not null);
insert into heartbeat values (0);
