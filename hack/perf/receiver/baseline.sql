-- What pgbench measures: the receiver's work as one PL/pgSQL call per postback, on tables like the receiver's own, and a
-- bare upsert of one row.
create schema baseline;
create table baseline.clicks (like public.clicks including all);
insert into baseline.clicks select * from public.clicks;
create unique index clicks_subid on baseline.clicks (endpoint, subid);
create table baseline.conversions (like public.conversions including all);
create unique index conversions_slot on baseline.conversions (endpoint, subid, tid);
create table baseline.conversion_history (like public.conversion_history including all);
create table baseline.received (like public.received including all);
create table baseline.single (k bigint primary key, v integer not null, at timestamptz not null) with (fillfactor = 80);
insert into baseline.single select i, 0, now() from generate_series(1, 1000000) i;

create function baseline.postback(of_click bigint, of_tid bigint) returns text language plpgsql as $$
declare
  c baseline.clicks;
  v baseline.conversions;
  request uuid := gen_random_uuid();
  outcome text;
begin
  select * into c from baseline.clicks
    where endpoint = 'default/test' and subid = 'c' || lpad(to_hex(of_click), 12, '0') for no key update;
  if not found then return 'ignored'; end if;
  select * into v from baseline.conversions where endpoint = c.endpoint and subid = c.subid and tid = of_tid::text;
  if not found then
    insert into baseline.conversions (bucket, endpoint, subid, tid, slot_type, id, type, status, payout, payout_original,
      payout_original_currency, payout_rate, currency, params, click_time, conversion_time, created_at, updated_at,
      version, writer, pinned, request_id, stamp)
    values (c.bucket, c.endpoint, c.subid, of_tid::text, '', request, 'lead', 'lead', 12.50, 12.50, 'USD', 1, 'USD',
      '{"sub_id_2":"x"}', c.click_time, now(), now(), now(), 1, 'key', false, request, of_tid);
    outcome := 'recorded';
  elsif v.status = 'lead' and v.payout_original = 12.50 then
    outcome := 'duplicate';
  else
    insert into baseline.conversion_history select v.*;
    update baseline.conversions set previous_type = v.type, type = 'lead', status = 'lead', payout = 12.50,
      payout_original = 12.50, updated_at = now(), version = v.version + 1, request_id = request
      where bucket = v.bucket and endpoint = v.endpoint and subid = v.subid and tid = v.tid and slot_type = v.slot_type;
    outcome := 'recorded';
  end if;
  if c.params ->> 'sub_id_2' is distinct from 'x' then
    update baseline.clicks set params = (c.params::jsonb || '{"sub_id_2":"x"}')::json
      where bucket = c.bucket and endpoint = c.endpoint and subid = c.subid;
  end if;
  insert into baseline.received (bucket, endpoint, subid, id, key_id, at, stamp, ip, method, query, body, tid, type, outcome,
    reason, warnings, conversion)
  values (c.bucket, c.endpoint, c.subid, request, 'k1', now(), of_tid, '127.0.0.1', 'GET',
    convert_to('subid=' || c.subid || '&status=lead&payout=12.50&tid=' || of_tid || '&sub_id_2=x', 'UTF8'), null, of_tid::text,
    'lead', outcome, null, null, request);
  return outcome;
end $$;
analyze;
checkpoint;
