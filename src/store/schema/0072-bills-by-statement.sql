-- Exports read the bills of a statement month in this order, of all accounts or of one.
create index bill_statement on bill (statement_month, hour, bucket, account);
