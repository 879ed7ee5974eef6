-- How much of a rate an account has used in a stretch: of its month, the hours in which the same tiers hold. Moves with
-- the account's bills; the lines of the bills say the same, and verify compares both.
create table rate_position (
  bucket       smallint not null,
  account      text     not null collate "C",
  component    text     not null,
  item         text     not null collate "C",
  rate         text     not null collate "C",
  stretch_from integer  not null,
  position     numeric  not null,
  primary key (account, stretch_from, component, item, rate, bucket)
);

-- The first hour of a month of an account, since it was first used for a position: another version of the zone rules
-- never moves usage that was billed into another month. Months count from January of the year 0.
create table account_month (
  bucket     smallint not null,
  account    text     not null collate "C",
  month      integer  not null,
  first_hour integer  not null,
  primary key (account, month, bucket)
);

-- The lines that count through tiers, for their chain of positions.
create index bill_line_stretch on bill_line (account, component, item, rate, stretch_from)
 where stretch_from is not null;
