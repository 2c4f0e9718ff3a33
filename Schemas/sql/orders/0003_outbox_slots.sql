-- The outbox without deletes. What is written with each order is a row in one of four slots, by time; a slot is swept when
-- its turn is over: what has had no result by then goes to `resends`, and the slot is truncated. So what most orders leave
-- behind is nothing, not even a dead row. An event is not kept but made anew from its order.
CREATE TABLE resends (
  id          uuid        PRIMARY KEY, -- the order
  cancels     boolean     NOT NULL,    -- whether payments is asked to cancel it, or to charge it
  traceparent text,
  attempts    integer     NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX resends_by_due ON resends (due_at);
COMMENT ON TABLE resends IS
  'What payments was asked about orders and has not answered in time, and every cancellation that it has not answered.';

INSERT INTO resends (id, cancels, traceparent, attempts, due_at)
SELECT id, type = 'gozon.events.OrderCancelled', traceparent, attempts, due_at FROM outbox;
DROP TABLE outbox;

CREATE TABLE outbox (
  slot        smallint NOT NULL,
  id          uuid     NOT NULL, -- the order
  traceparent text
) PARTITION BY LIST (slot);
-- They are emptied before they could need a vacuum, which would be in the way.
CREATE TABLE outbox_0 PARTITION OF outbox FOR VALUES IN (0) WITH (autovacuum_enabled = false);
CREATE TABLE outbox_1 PARTITION OF outbox FOR VALUES IN (1) WITH (autovacuum_enabled = false);
CREATE TABLE outbox_2 PARTITION OF outbox FOR VALUES IN (2) WITH (autovacuum_enabled = false);
CREATE TABLE outbox_3 PARTITION OF outbox FOR VALUES IN (3) WITH (autovacuum_enabled = false);
COMMENT ON TABLE outbox IS 'Orders taken just now, which payments is being asked to charge.';

-- How far payments' stream of answers is processed, lane by lane; written with the effect of what was processed.
CREATE TABLE lanes (
  lane     smallint PRIMARY KEY,
  epoch    bigint   NOT NULL DEFAULT 0,  -- grows whenever the lane changes hands: who has an older one writes nothing
  stream   text     NOT NULL DEFAULT '', -- which stream of that name: when it was created
  sequence bigint   NOT NULL DEFAULT 0   -- the last message whose effect is here
) WITH (fillfactor = 20);
INSERT INTO lanes (lane) SELECT generate_series(0, 15);

-- Newest last, so that new orders go to the end of the index and not to its middle; it is read backwards as well.
DROP INDEX orders_by_time, orders_of_user_by_time;
CREATE INDEX orders_of_user_by_time ON orders (user_id, created_at, id);
CREATE INDEX orders_by_time ON orders (created_at, id);

-- The same rules in fewer constraints, which are made ready anew for every statement that writes orders. NEW and FINISHED
-- have no reason, CANCELLED always has one; REFUNDED was paid before. Nothing is refunded, or cancelled by its user, that
-- nobody asked for or before it was asked for.
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'c' LOOP
    EXECUTE format('ALTER TABLE orders DROP CONSTRAINT %I', name);
  END LOOP;
END $$;
ALTER TABLE orders
  ADD CONSTRAINT orders_value CHECK (
    amount BETWEEN 1 AND 9007199254740991 AND currency COLLATE "C" ~ '^[A-Z]{3}$'),
  ADD CONSTRAINT orders_state CHECK (
    updated_at >= created_at AND (cancel_requested_at >= created_at) IS NOT FALSE AND coalesce(
      CASE
        WHEN status IN (1, 2) THEN reason IS NULL AND finished_at IS NULL
        WHEN status = 3 THEN
          reason BETWEEN 1 AND 4 AND finished_at IS NULL AND (reason <> 4 OR cancel_requested_at <= updated_at)
        WHEN status = 4 THEN
          reason IS NULL AND finished_at BETWEEN created_at AND updated_at AND cancel_requested_at <= updated_at
      END, false));
