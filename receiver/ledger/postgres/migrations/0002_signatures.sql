-- Signatures of requests that count once.
alter table received add column signature uuid;

create index received_signature on received (bucket, endpoint, subid, signature) where signature is not null;
