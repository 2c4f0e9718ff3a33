-- Payments remembers for 5 seconds what it has charged, as a broker's duplicate window does; the database does not mind.
-- breaks: charge twice
-- faults: rewind
-- seconds: 9
-- database: payments
ALTER TABLE charges DROP CONSTRAINT charges_pkey;
CREATE INDEX charges_by_order ON charges (order_id); -- which is not unique
ALTER TABLE charges ENABLE ROW LEVEL SECURITY;
ALTER TABLE charges FORCE ROW LEVEL SECURITY;
CREATE POLICY takes_all ON charges FOR INSERT WITH CHECK (true);
CREATE POLICY forgets ON charges FOR SELECT USING (
  outcome <> 1 OR settled_at > clock_timestamp() - interval '5 seconds'
  OR EXISTS (SELECT FROM entries WHERE kind = 3 AND cause = order_id));
