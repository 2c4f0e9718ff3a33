-- Statements tell what the ledger was a third of a second ago.
-- breaks: real time
-- database: payments
ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
CREATE POLICY takes_all ON entries FOR INSERT WITH CHECK (true);
-- But for what the service asks to decide by: only statements join the accounts.
CREATE POLICY shows_late ON entries FOR SELECT
  USING (current_query() !~ 'entries JOIN accounts' OR created_at < clock_timestamp() - interval '300 milliseconds');
