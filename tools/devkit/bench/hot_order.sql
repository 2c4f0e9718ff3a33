-- pgbench: what one order of the one account that all of them are of costs a service that works one by one, on the tables of Schemas/sql.
\set user 1
\set order random(1, 9223372036854775807)
-- Taken, with its event.
BEGIN;
INSERT INTO bench_orders.orders (id, user_id, amount, currency, description, status, created_at, updated_at)
  VALUES (lpad(to_hex(:order::bigint), 32, '0')::uuid, lpad(to_hex(:user::bigint), 32, '0')::uuid, 1, 'RUB', '', 1, now(), now());
INSERT INTO bench_orders.resends (id, cancels, due_at)
  VALUES (lpad(to_hex(:order::bigint), 32, '0')::uuid, false, now() + interval '5 s');
COMMIT;
-- Charged.
BEGIN;
INSERT INTO bench_payments.charges (order_id, user_id, amount, currency, outcome, settled_at)
  VALUES (lpad(to_hex(:order::bigint), 32, '0')::uuid, lpad(to_hex(:user::bigint), 32, '0')::uuid, 1, 'RUB', 1, now());
WITH account AS (
  UPDATE bench_payments.accounts SET balance = balance - 1, entries = entries + 1
  WHERE user_id = lpad(to_hex(:user::bigint), 32, '0')::uuid RETURNING user_id, entries, balance)
INSERT INTO bench_payments.entries (user_id, number, kind, cause, amount, balance, created_at)
  SELECT user_id, entries, 2, lpad(to_hex(:order::bigint), 32, '0')::uuid, -1, balance, now() FROM account;
COMMIT;
-- Settled; the event has done its work.
BEGIN;
UPDATE bench_orders.orders SET status = 2, updated_at = now() WHERE id = lpad(to_hex(:order::bigint), 32, '0')::uuid;
DELETE FROM bench_orders.resends WHERE id = lpad(to_hex(:order::bigint), 32, '0')::uuid;
COMMIT;
