-- Fingerprints of hours that are long settled are joined into segments of several usage hours, [hour, hour + hours):
-- fewer and larger rows, which are read faster.
alter table identity_segment add column hours integer not null default 1;
