-- Payments does not find that an order was cancelled before it was charged, and charges it.
-- breaks: charge
-- faults: forget
-- seconds: 8
-- database: payments
ALTER TABLE charges DROP CONSTRAINT charges_pkey;
ALTER TABLE charges ENABLE ROW LEVEL SECURITY;
ALTER TABLE charges FORCE ROW LEVEL SECURITY;
CREATE POLICY takes_all ON charges FOR INSERT WITH CHECK (true);
CREATE POLICY hides_cancelled ON charges FOR SELECT USING (outcome <> 5);
