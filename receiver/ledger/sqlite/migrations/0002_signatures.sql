-- Signatures of requests that count once.
alter table received add column signature blob;

create index received_signature on received (signature) where signature is not null;
