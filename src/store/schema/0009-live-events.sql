-- Store events of open hours in one statement, behind the gate: all of them, or none. Null: the deployment is not where
-- the caller thinks it is, and nothing is stored. Otherwise the clock, in milliseconds.
-- A statement of a function sees what was committed before it began: the marks are read after the gate was passed.
create function add_live_events(
  gate bigint, known_prices integer, known_accounts integer, earliest_hour integer,
  ats bigint[], receipts timestamptz[], checksums integer[], buckets smallint[],
  subjects text[], ids text[], sources text[], types text[], bodies text[], extensions text[]
) returns bigint language plpgsql set lock_timeout = '10s' as $$
begin
  perform pg_advisory_xact_lock_shared(gate);
  perform from deployment
    where price_version = known_prices and accounts_version = known_accounts and sealed_until <= earliest_hour;
  if not found then
    return null;
  end if;
  insert into usage_event
    (at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes)
  select at, receipt, at / 3600000, at / 3600000, checksum, bucket, subject, id, source, type, body, extension
    from unnest(ats, receipts, checksums, buckets, subjects, ids, sources, types, bodies, extensions)
      as e (at, receipt, checksum, bucket, subject, id, source, type, body, extension);
  return floor(extract(epoch from clock_timestamp()) * 1000);
end $$;
