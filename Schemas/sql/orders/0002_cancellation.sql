-- Cancellations, and what the timeline of an order needs: every event of it is a column of the order's row, so that it is
-- written with the change of status that it tells of, and none can be missing.
--   CREATED           created_at
--   CANCEL_REQUESTED  cancel_requested_at
--   FINISHED          updated_at while the status is FINISHED, then finished_at
--   CANCELLED         updated_at
--   REFUNDED          updated_at
-- Settling an order, which happens to every one, writes no more than before.
ALTER TABLE orders
  ADD COLUMN cancel_requested_at timestamptz CHECK (cancel_requested_at >= created_at),
  ADD COLUMN finished_at timestamptz CHECK (finished_at BETWEEN created_at AND updated_at),
  -- A refunded order was paid before, and nothing else needs the column.
  ADD CHECK ((status = 4) = (finished_at IS NOT NULL)),
  -- Nothing is refunded, or cancelled by its user, that nobody asked for or before it was asked for.
  ADD CHECK (
    (status <> 4 AND reason IS DISTINCT FROM 4)
    OR (cancel_requested_at IS NOT NULL AND cancel_requested_at <= updated_at)),
  -- REFUNDED has no reason: it was paid.
  ADD CHECK (status <> 4 OR reason IS NULL);

COMMENT ON TABLE outbox IS
  'What payments was asked last about each order: to charge it, or to cancel it. A cancellation takes the place of the charge.';
COMMENT ON COLUMN outbox.id IS 'The order; its event''s Nats-Msg-Id follows from it and the type.';
