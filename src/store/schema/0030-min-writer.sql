-- Versions of Farthing below this number may no longer write: what they store would be wrong beside this schema.
-- A watermark: it only rises, under the gate, in the transaction that changes the schema (../writer.ts).
alter table deployment add column min_writer integer not null default 0;

-- As in 0009, for writers that are not too old.
drop function insert_live_events(
  bigint, integer, integer, integer, integer[], bigint[], timestamptz[], integer[], smallint[],
  text[], text[], text[], text[], text[], text[], integer[]);

create function insert_live_events(
  gate bigint, writer integer, known_prices integer, known_accounts integer, earliest_hour integer,
  hours integer[], ats bigint[], receipts timestamptz[], checksums integer[], buckets smallint[],
  subjects text[], ids text[], sources text[], types text[], bodies text[], extensions text[], numbers integer[]
) returns table (now bigint, present integer[]) language plpgsql set lock_timeout = '10s' as $$
begin
  perform pg_advisory_xact_lock_shared(gate);
  perform from deployment
    where min_writer <= writer
      and price_version = known_prices and accounts_version = known_accounts and sealed_until <= earliest_hour;
  if not found then
    return;
  end if;
  present := insert_events(hours, hours, ats, receipts, checksums, buckets,
                           subjects, ids, sources, types, bodies, extensions, numbers);
  now := floor(extract(epoch from clock_timestamp()) * 1000);
  return next;
end $$;
