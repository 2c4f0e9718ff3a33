-- What changed lately, for those who watch orders: a row for each transaction that took orders or moved them on. Rows go into
-- slots as those of the outbox do, and are truncated with them: whoever follows has read them by then, and whoever comes back
-- later asks the orders themselves which transaction wrote them last.
CREATE TABLE changes (
  slot      smallint   NOT NULL,
  xid       xid8       NOT NULL, -- the transaction
  order_ids uuid[]     NOT NULL,
  user_ids  uuid[]     NOT NULL, -- whose the orders are, in the same order
  kinds     smallint[] NOT NULL  -- what happened to them: the numbers of OrderEventKind in Schemas/orders.gozon
) PARTITION BY LIST (slot);
CREATE TABLE changes_0 PARTITION OF changes FOR VALUES IN (0) WITH (autovacuum_enabled = false);
CREATE TABLE changes_1 PARTITION OF changes FOR VALUES IN (1) WITH (autovacuum_enabled = false);
CREATE TABLE changes_2 PARTITION OF changes FOR VALUES IN (2) WITH (autovacuum_enabled = false);
CREATE TABLE changes_3 PARTITION OF changes FOR VALUES IN (3) WITH (autovacuum_enabled = false);
CREATE INDEX changes_by_xid ON changes (xid);

-- Ids do not get shorter by compression, which would only take time.
DO $$
BEGIN
  FOR slot IN 0..3 LOOP
    EXECUTE format(
      'ALTER TABLE changes_%s ALTER order_ids SET STORAGE EXTERNAL, ALTER user_ids SET STORAGE EXTERNAL', slot);
  END LOOP;
END $$;

-- The transaction that wrote a row, from its system column xmin, which lacks the upper half of the number. A row that is older
-- than that can tell counts as newer: whoever asks what is new is told too much and not too little.
CREATE FUNCTION written_by(xmin xid) RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
    - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1 - xmin::text::bigint) & 4294967295))::text::xid8
$$;
