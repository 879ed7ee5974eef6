-- Versions of Farthing below this number may no longer write: what they store would be wrong beside this schema.
-- A watermark: it only rises, under the gate, in the transaction that changes the schema (../writer.ts).
alter table deployment add column min_writer integer not null default 0;
