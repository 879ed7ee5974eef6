-- What accounts store by their settled levels, as sums: settlement of an hour reads the series that change, and no others.
-- All of it follows from storage_level. `verify` compares them.

-- The newest settled level of the series that was not voided.
alter table storage_series add column bytes numeric not null default 0;

-- Of an account in one place: the sum over its series, and how many of them are above 0.
create table storage_total (
  bucket  smallint not null,
  account text     not null collate "C",
  project text     not null collate "C",
  region  text     not null collate "C",
  bytes   numeric  not null,
  live    integer  not null,
  primary key (bucket, account, project, region)
);

-- Of an account: in how many series it stores data.
create table storage_count (
  bucket  smallint not null,
  account text     not null collate "C",
  live    integer  not null,
  primary key (bucket, account)
);

update storage_series s
   set bytes = l.bytes
  from (select distinct on (bucket, account, project, dataset, region) bucket, account, project, dataset, region, bytes
          from storage_level
         where void_step is null
         order by bucket, account, project, dataset, region, at desc, source desc, id desc) l
 where l.bucket = s.bucket and l.account = s.account and l.project = s.project and l.dataset = s.dataset
   and l.region = s.region;

insert into storage_total (bucket, account, project, region, bytes, live)
select bucket, account, project, region, sum(bytes), count(*) filter (where bytes > 0)
  from storage_series
 group by bucket, account, project, region;

insert into storage_count (bucket, account, live)
select bucket, account, sum(live)
  from storage_total
 group by bucket, account;
