-- pgbench: reads one account by its key.
\set user random(1, :users)
SELECT user_id, balance, currency, created_at FROM bench_payments.accounts
  WHERE user_id = lpad(to_hex(:user::bigint), 32, '0')::uuid;
