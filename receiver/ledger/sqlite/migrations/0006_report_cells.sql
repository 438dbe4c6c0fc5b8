-- Sums of clicks and conversions by half hours and campaigns: what most reports are made of. basis is 0 for clicks, 1 for
-- conversions by the time of their click, 2 by their own. slot counts half hours since 1970 in UTC. type is empty but for
-- cells of a custom conversion type. n and amount are of the clicks, or of the custom type; a zero is null.
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
