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
