-- Sums of clicks and conversions by half hours and campaigns: what most reports are made of. basis is 0 for clicks, 1 for
-- conversions by the time of their click, 2 by their own. slot counts half hours since 1970 in UTC. type is empty but for
-- cells of a custom conversion type. n and amount are of the clicks, or of the custom type; a zero is null.
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
) with (fillfactor = 80);

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
