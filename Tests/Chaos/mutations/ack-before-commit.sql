-- Both databases acknowledge a commit before it is on the disk.
-- breaks: lost
-- faults: kill postgres
-- seconds: 8
-- database: orders
ALTER SYSTEM SET wal_writer_delay = '10s';
ALTER SYSTEM SET wal_writer_flush_after = '1GB';
SELECT pg_reload_conf();
ALTER DATABASE orders SET synchronous_commit = off;
ALTER DATABASE payments SET synchronous_commit = off;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname IN ('orders', 'payments') AND pid <> pg_backend_pid();
