-- The outbox takes the place of the table forwards: rows stay after they were sent, for everyone to see what became of
-- them. Who is sending a row is not stored: one process has the file, and when it dies nobody is sending.
create table outbox (
  seq           integer primary key,
  id            blob    not null,
  endpoint      integer not null,
  subid         text    not null,
  tid           text    not null,
  slot_type     text    not null,
  rule          text    not null,
  host          text    not null,
  conversion_id blob    not null,
  version       integer not null,  -- the order of one conversion's postbacks
  type          text    not null,
  conversion    text,              -- JSON, the version that is to be reported; null once it is delivered
  click         text,              -- JSON
  ip            text,
  state         text    not null,
  reason        text,
  created_at    integer not null,
  due           integer not null,
  parked        integer not null,  -- 1: put aside behind older ones
  ended_at      integer,
  tries         integer not null,
  attempts      text               -- JSON
);
insert into outbox
  (id, endpoint, subid, tid, slot_type, rule, host, conversion_id, version, type, conversion, click, ip, state, created_at, due, parked, tries)
select id, endpoint, subid, json_extract(conversion, '$.slot.tid'), coalesce(json_extract(conversion, '$.slot.type'), ''), rule, '',
  unhex(replace(json_extract(conversion, '$.id'), '-', '')), json_extract(conversion, '$.version'),
  json_extract(conversion, '$.type'), conversion, click, ip, 'waiting', due, due, 0, 0
from forwards order by seq;
drop table forwards;

create unique index outbox_id on outbox (id);
create index outbox_due on outbox (host, due) where state = 'waiting';
create index outbox_order on outbox (endpoint, subid, tid, slot_type, rule, state, version);
create index outbox_failed on outbox (id) where state = 'failed';
