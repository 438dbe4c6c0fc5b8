-- Rows of the outbox stay after they were sent, for everyone to see what became of them. The indexes on what waits are
-- partial: rows leave them when they end. A lease changes no indexed column, so that claiming stays in the page.

alter table outbox
  add column host text collate "C" not null default '',
  add column conversion_id uuid,
  add column type text not null default '',
  add column state text not null default 'waiting',
  add column reason text not null default '',
  add column created_at timestamptz,
  add column parked boolean not null default false,       -- put aside behind older ones
  add column holder text not null default '',             -- the receiver that is sending it, until leased_until
  add column leased_until timestamptz,
  add column ended_at timestamptz,
  add column tries integer not null default 0,
  add column attempts json,
  alter column rule type text collate "C",
  alter column conversion drop not null;                  -- null once it is delivered

update outbox set created_at = due, conversion_id = (conversion->>'id')::uuid, type = conversion->>'type';
alter table outbox alter column conversion_id set not null, alter column created_at set not null;

drop index outbox_due;
create index outbox_due on outbox (host, due) where state = 'waiting';
create index outbox_order on outbox (bucket, endpoint, subid, tid, slot_type, rule, version) where state = 'waiting';
create index outbox_failed on outbox (id) where state = 'failed';
create index outbox_id on outbox (id);
