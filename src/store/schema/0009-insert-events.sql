-- The one way in which events are stored. Keys that are taken stay as they are: the primary key decides what is a repeat.
-- An insert that meets a key of an open transaction waits for its end; so rows come in key order, or two such
-- transactions would deadlock.
-- Returned are the positions, from 1, of the events whose keys were taken; null: none was. What is stored under them can
-- be read by a later statement only: this one does not see what it has waited for.
create function insert_events(
  hours integer[], cycles integer[], ats bigint[], receipts timestamptz[], checksums integer[], buckets smallint[],
  subjects text[], ids text[], sources text[], types text[], bodies text[], extensions text[], numbers integer[]
) returns integer[] language plpgsql as $$
declare
  taken integer[];
begin
  with stored as (
    insert into usage_event
      (hour, cycle, at, received_at, checksum, bucket, account, id, source, type, data, attributes, series)
    select *
      from unnest(hours, cycles, ats, receipts, checksums, buckets, subjects, ids, sources, types, bodies, extensions,
                  numbers)
        on conflict do nothing
    returning hour, bucket, account, id, source
  )
  select array_agg(sent.position::integer) into taken
    from unnest(hours, buckets, subjects, ids, sources)
         with ordinality as sent (hour, bucket, account, id, source, position)
   where (select count(*) from stored) < cardinality(hours)
     and not exists (select from stored
                      where stored.hour = sent.hour and stored.bucket = sent.bucket
                        and stored.account = sent.account collate "C" and stored.id = sent.id collate "C"
                        and stored.source = sent.source collate "C");
  return taken;
end $$;

-- Store events of open hours in one message, behind the gate. No row: the deployment is not where the caller thinks it
-- is, and nothing is stored. Otherwise the clock, in milliseconds, and what `insert_events` returns.
-- A statement of a function sees what was committed before it began: the watermarks are read after the gate was passed.
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
